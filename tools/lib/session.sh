# Sourced by tools/demo and tools/crashtest, at the top of the checkout.

# Each part runs in a session of its own, so that it can be ended with everything that it started.
part=
end_part() { [ -z "$part" ] || kill -TERM -- "-$part" 2>/dev/null || true; }
interrupted() {
    trap '' INT TERM HUP
    end_part
    [ -z "$part" ] || wait "$part" 2>/dev/null || true
    exit "$1"
}
trap 'interrupted 130' INT
trap 'interrupted 143' TERM
trap 'interrupted 129' HUP
in_a_session() {
    local status=0
    setsid -w "$@" </dev/null &
    part=$!
    wait "$part" || status=$?
    part=
    return "$status"
}

# Makes the environment and both programs, and sets `shakectl` and `streamsim` to where they are.
build_for_release() {
    tools/setup --quiet  # on the terminal, where sudo may have to ask
    echo "Building shakectl and streamsim for release (the first time takes minutes)"
    in_a_session swift build -c release --static-swift-stdlib --product shakectl
    shakectl=$(swift build -c release --show-bin-path)/shakectl
    in_a_session swift build --package-path tools/StreamSim -c release --product streamsim
    streamsim=$(swift build --package-path tools/StreamSim -c release --show-bin-path)/streamsim
}
