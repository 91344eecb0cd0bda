// Reads an item into a flat tape of tokens, and a buffer of the texts that they stand for.
#include "Walk.hpp"

#include <algorithm>

namespace {

[[noreturn]] void bad(const char *detail) { throw Failure{CSJ_BAD_VALUE, detail}; }

/// The type of that name; `CSJ_M + 1` where there is none.
int kind(std::string_view tag) {
    if (tag.size() == 1) {
        switch (tag[0]) {
        case 'S': return CSJ_S;
        case 'N': return CSJ_N;
        case 'B': return CSJ_B;
        case 'L': return CSJ_L;
        case 'M': return CSJ_M;
        }
    } else if (tag.size() == 2 && tag[1] == 'S') {
        switch (tag[0]) {
        case 'S': return CSJ_SS;
        case 'N': return CSJ_NS;
        case 'B': return CSJ_BS;
        }
    } else if (tag == "BOOL") {
        return CSJ_BOOL;
    } else if (tag == "NULL") {
        return CSJ_NULL;
    }
    return CSJ_M + 1;
}

uint8_t base64_value(uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') return byte - 'A';
    if (byte >= 'a' && byte <= 'z') return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9') return byte - '0' + 52;
    if (byte == '+') return 62;
    if (byte == '/') return 63;
    return 255;
}

class Tape {
public:
    Tape(csj_parser &parser, const uint8_t *object, size_t count)
        : walk(parser, object, count), tokens(parser.tokens), texts(parser.texts), members(parser.members),
          sorted(parser.sorted) {
        tokens.clear();
        members.clear();
        // What a text stands for is never longer than what is written, so this is room for all, and nothing moves.
        if (texts.size() < count) texts.resize(count);
        out = texts.data();
    }

    void read() {
        add(CSJ_M);
        members_of(0);
        walk.finish();
    }

    size_t text_count() const { return static_cast<size_t>(out - texts.data()); }

    /// Where the walk stands.
    void describe(std::string &path) const {
        constexpr size_t limit = 200;
        path.clear();
        for (size_t i = 0; i < depth && path.size() <= limit; i++) {
            auto &step = trail[i];
            if (step.element != no_element) {
                path += '[' + std::to_string(step.element) + ']';
            } else {
                if (!path.empty()) path += '.';
                path += name(step.name).substr(0, limit);
            }
        }
    }

private:
    /// Far above DynamoDB's own limit of 32, and far below what the stack holds.
    static constexpr size_t depth_limit = 128;
    static constexpr uint32_t no_element = UINT32_MAX;

    struct Step {
        csj_range name;
        uint32_t element;
    };

    Walk walk;
    std::vector<csj_token> &tokens;
    std::vector<uint8_t> &texts;
    uint8_t *out;
    Step trail[depth_limit];
    size_t depth = 0;
    /// The members of the maps that the walk is in, as places on the tape.
    std::vector<uint32_t> &members;
    std::vector<uint32_t> &sorted;

    uint32_t add(int kind, csj_range name = {0, 0}, csj_range text = {0, 0}) {
        auto place = static_cast<uint32_t>(tokens.size());
        tokens.push_back({name, text, 0, 1, static_cast<uint8_t>(kind), 0});
        return place;
    }

    template <typename Body> void below(Step step, Body body) {
        if (depth == depth_limit) bad("is nested too deep");
        trail[depth++] = step;
        body();
        depth--;
    }

    void members_of(uint32_t self) {
        auto first = members.size();
        walk.object([&](std::string_view raw) {
            auto name = text(raw);
            members.push_back(static_cast<uint32_t>(tokens.size()));
            below({name, no_element}, [&] { value(name); });
        });
        tokens[self].children = static_cast<uint32_t>(members.size() - first - drop_earlier(first));
        tokens[self].size = static_cast<uint32_t>(tokens.size()) - self;
        members.resize(first);
    }

    void value(csj_range name) {
        if (walk.peek() != '{') bad("is no attribute value");
        auto self = add(CSJ_NULL, name);
        bool has_type = false;
        walk.object([&](std::string_view raw) {
            if (has_type) bad("has more than one type");
            has_type = true;
            auto before = out;
            auto tag = raw.find('\\') == raw.npos ? raw : this->name(text(raw));
            auto type = kind(tag);
            out = before;
            tokens[self].kind = static_cast<uint8_t>(type);
            switch (type) {
            case CSJ_S:
            case CSJ_N:
            case CSJ_B: tokens[self].text = scalar(type); break;
            case CSJ_BOOL:
                if (walk.peek() != 't' && walk.peek() != 'f') bad("has a BOOL that is neither true nor false");
                tokens[self].is_true = walk.peek() == 't';
                walk.skip();
                break;
            case CSJ_NULL:
                if (walk.peek() != 't') bad("has a NULL that is not true");
                walk.skip();
                break;
            case CSJ_SS: set(self, CSJ_S); break;
            case CSJ_NS: set(self, CSJ_N); break;
            case CSJ_BS: set(self, CSJ_B); break;
            case CSJ_L: list(self); break;
            case CSJ_M:
                if (walk.peek() != '{') bad("has an M that is no object");
                members_of(self);
                break;
            default: bad("has a type that is none of DynamoDB's");
            }
        });
        if (!has_type) bad("has no type");
    }

    csj_range scalar(int type) {
        if (walk.peek() != '"') bad("has a text that is no string");
        auto range = text(walk.string());
        return type == CSJ_B ? decoded(range) : range;
    }

    template <typename Element> void elements(uint32_t self, Element element) {
        if (walk.peek() != '[') bad("has a set or list that is no array");
        uint32_t count = 0;
        walk.array([&] {
            below({{0, 0}, count}, element);
            count++;
        });
        tokens[self].children = count;
        tokens[self].size = static_cast<uint32_t>(tokens.size()) - self;
    }

    void set(uint32_t self, int type) {
        elements(self, [&] { add(type, {0, 0}, scalar(type)); });
    }

    void list(uint32_t self) {
        elements(self, [&] { value({0, 0}); });
    }

    // Texts

    std::string_view name(csj_range range) const {
        return {reinterpret_cast<const char *>(texts.data()) + range.offset, range.count};
    }

    csj_range range_from(const uint8_t *start) const {
        return {static_cast<uint32_t>(start - texts.data()), static_cast<uint32_t>(out - start)};
    }

    /// Copies what a string stands for. simdjson's first stage has seen that it is UTF-8, without control characters.
    csj_range text(std::string_view raw) {
        auto start = out;
        auto at = raw.data();
        auto end = at + raw.size();
        while (true) {
            auto slash = static_cast<const char *>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
            auto run = static_cast<size_t>((slash ? slash : end) - at);
            std::memcpy(out, at, run);
            out += run;
            if (!slash) return range_from(start);
            at = escaped(slash + 1, end);
        }
    }

    /// Goes over what stands behind a backslash.
    const char *escaped(const char *at, const char *end) {
        if (at == end) malformed("a text that ends in a backslash");
        switch (*at) {
        case '"':
        case '\\':
        case '/': *out++ = static_cast<uint8_t>(*at); break;
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        case 'u': return unicode(at + 1, end);
        default: malformed("an unknown escape");
        }
        return at + 1;
    }

    const char *unicode(const char *at, const char *end) {
        auto code = four_digits(at, end);
        at += 4;
        if (code >= 0xdc00 && code < 0xe000) malformed("half a surrogate pair");
        if (code >= 0xd800 && code < 0xdc00) {
            if (end - at < 6 || at[0] != '\\' || at[1] != 'u') malformed("half a surrogate pair");
            auto low = four_digits(at + 2, end);
            if (low < 0xdc00 || low >= 0xe000) malformed("half a surrogate pair");
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
        if (code < 0x80) {
            *out++ = static_cast<uint8_t>(code);
        } else if (code < 0x800) {
            *out++ = static_cast<uint8_t>(0xc0 | code >> 6);
            continuation(code);
        } else if (code < 0x10000) {
            *out++ = static_cast<uint8_t>(0xe0 | code >> 12);
            continuation(code >> 6);
            continuation(code);
        } else {
            *out++ = static_cast<uint8_t>(0xf0 | code >> 18);
            continuation(code >> 12);
            continuation(code >> 6);
            continuation(code);
        }
        return at;
    }

    void continuation(uint32_t bits) { *out++ = static_cast<uint8_t>(0x80 | (bits & 0x3f)); }

    static uint32_t four_digits(const char *at, const char *end) {
        if (end - at < 4) malformed("an unknown escape");
        uint32_t code = 0;
        for (auto last = at + 4; at < last; at++) {
            auto letter = *at | 0x20;
            if (*at >= '0' && *at <= '9') {
                code = code << 4 | static_cast<uint32_t>(*at - '0');
            } else if (letter >= 'a' && letter <= 'f') {
                code = code << 4 | static_cast<uint32_t>(letter - 'a' + 10);
            } else {
                malformed("an unknown escape");
            }
        }
        return code;
    }

    /// Decodes base64 in its place; it gets shorter. `range` is the last text of all.
    csj_range decoded(csj_range range) {
        auto start = texts.data() + range.offset;
        auto at = start;
        auto end = start + range.count;
        if (range.count % 4 != 0) bad("has a B that is not base64");
        size_t padding = range.count == 0 || end[-1] != '=' ? 0 : end[-2] != '=' ? 1 : 2;
        out = start;
        while (at < end) {
            uint32_t bits = 0;
            size_t digits = end - at == 4 ? 4 - padding : 4;
            for (size_t i = 0; i < 4; i++) {
                auto value = i < digits ? base64_value(at[i]) : 0;
                if (value == 255) bad("has a B that is not base64");
                bits = bits << 6 | value;
            }
            at += 4;
            *out++ = static_cast<uint8_t>(bits >> 16);
            if (digits > 2) *out++ = static_cast<uint8_t>(bits >> 8);
            if (digits > 3) *out++ = static_cast<uint8_t>(bits);
        }
        return range_from(start);
    }

    // Names given twice

    bool is_same_name(uint32_t one, uint32_t other) const {
        auto &a = tokens[one].name;
        auto &b = tokens[other].name;
        return a.count == b.count
            && std::memcmp(texts.data() + a.offset, texts.data() + b.offset, a.count) == 0;
    }

    /// Takes members off the tape whose name a later one has; `first` is the map's first among the open members. Says how many.
    size_t drop_earlier(size_t first) {
        constexpr size_t few = 16;
        auto count = members.size() - first;
        if (count <= few) {
            bool is_twice = false;
            for (size_t i = first + 1; i < members.size(); i++) {
                for (size_t j = first; j < i; j++) is_twice |= is_same_name(members[i], members[j]);
            }
            if (!is_twice) return 0;
        }
        sorted.assign(members.begin() + static_cast<ptrdiff_t>(first), members.end());
        std::sort(sorted.begin(), sorted.end(), [&](uint32_t one, uint32_t other) {
            auto order = name(tokens[one].name).compare(name(tokens[other].name));
            return order == 0 ? one < other : order < 0;
        });
        // Of members with one name all but the last go.
        size_t gone = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            if (is_same_name(sorted[i], sorted[i + 1])) sorted[gone++] = sorted[i];
        }
        if (gone == 0) return 0;
        sorted.resize(gone);
        std::sort(sorted.begin(), sorted.end());
        auto kept = tokens.begin() + sorted[0];
        for (size_t i = 0; i < gone; i++) {
            auto next = tokens.begin() + sorted[i] + tokens[sorted[i]].size;
            auto until = i + 1 < gone ? tokens.begin() + sorted[i + 1] : tokens.end();
            kept = std::copy(next, until, kept);
        }
        tokens.erase(kept, tokens.end());
        return gone;
    }
};

}  // namespace

csj_status csj_read_item(csj_parser *parser, const uint8_t *object, size_t count, csj_item *out) {
    uint32_t element = 0;
    return guarded(element, [&] {
        *out = {nullptr, 0, nullptr, 0, nullptr, 0};
        Tape tape(*parser, object, count);
        try {
            tape.read();
        } catch (const Failure &) {
            tape.describe(parser->path);
            out->path = parser->path.data();
            out->path_count = parser->path.size();
            throw;
        }
        *out = {parser->tokens.data(), parser->tokens.size(), parser->texts.data(), tape.text_count(), nullptr, 0};
    });
}
