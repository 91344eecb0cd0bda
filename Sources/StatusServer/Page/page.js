"use strict";
// Draws what the daemon says. It asks and never tells: what changes a journal is a command that a person copies.
//
//     answers and events ──▶ state ──▶ the parts that draw ──▶ morph ──▶ the document
//
// Every name and every text comes from strangers. They become text nodes and attributes, never markup.

// --- Elements ---

const SVG = "http://www.w3.org/2000/svg";

function built(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        element.setAttribute(name, value === true ? "" : String(value));
    }
    for (const child of children.flat(Infinity)) {
        if (child === null || child === undefined || child === false || child === "") continue;
        element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return element;
}

const h = (name, attributes, ...children) => built(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => built(document.createElementNS(SVG, name), attributes, children);

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);

/// Makes `old` what `fresh` is, and leaves alone what is the same: so focus, selection and what the reader opened stay.
function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || keyOf(old) !== keyOf(fresh)) {
        old.replaceWith(fresh);
        return;
    }
    if (old.nodeType === Node.TEXT_NODE) {
        if (old.data !== fresh.data) old.data = fresh.data;
        return;
    }
    const isReaders = (name) => name === "open"; // of details: what the reader opened or closed stays so
    for (const { name, value } of [...fresh.attributes]) {
        if (!isReaders(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
        if (!isReaders(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    morphChildren(old, [...fresh.childNodes]);
}

function morphChildren(parent, fresh) {
    const keyed = new Map();
    for (const child of parent.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
    let next = parent.firstChild;
    for (const child of fresh) {
        const key = keyOf(child);
        const same = key ? keyed.get(key) : next && !keyOf(next) && next.nodeName === child.nodeName ? next : null;
        if (!same) {
            parent.insertBefore(child, next);
            continue;
        }
        if (same === next) next = next.nextSibling;
        else parent.insertBefore(same, next);
        if (key) keyed.delete(key);
        morph(same, child);
    }
    while (next) {
        const gone = next;
        next = next.nextSibling;
        gone.remove();
    }
}

const show = (id, ...children) => morphChildren(document.getElementById(id),
    [...h("div", null, ...children).childNodes]);

// --- Words ---

const LONGEST_NUMBER = 18;

/// A name as it can be looked at: what would be invisible, or turn the line around, is shown by its number.
const plain = (text) =>
    String(text ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, (c) =>
        c < " " ? String.fromCharCode(0x2400 + c.charCodeAt(0))
            : `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

const name = (text, attributes) => h("bdi", attributes, plain(text));

/// Where it is long: its two ends, and all of it for whoever asks.
function shortNumber(number) {
    if (number === null || number === undefined) return null;
    return number.length <= LONGEST_NUMBER ? number : `${number.slice(0, 9)}…${number.slice(-6)}`;
}

const sequence = (number, none = "the start") =>
    number === null || number === undefined ? none : h("span", { class: "mono", title: number }, shortNumber(number));

/// Parts of a daemon's sentence that it means as commands.
const spoken = (text) =>
    plain(text).split("`").map((part, index) => (index % 2 ? h("code", null, part) : withShortNumbers(part)));

const withShortNumbers = (text) => text.split(/(?<![-\w])(\d{19,40})(?![-\w])/).map(
    (part, index) => (index % 2 ? sequence(part) : part));

const count = (number) => (number ?? 0).toLocaleString("en-US", { maximumFractionDigits: 0 });
const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
const rateWords = (rate) => (rate === null ? "–" : rate >= 10 || rate === 0 ? count(rate) : rate.toFixed(1));

function duration(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    if (seconds > 0 && seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
    if (seconds < 10) return `${Math.floor(seconds * 10) / 10} s`;
    let rest = Math.floor(seconds);
    const parts = [];
    for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
        const value = Math.floor(rest / length);
        rest %= length;
        if (value || parts.length) parts.push([value, unit]);
        if (parts.length === 2) break;
    }
    if (parts.length === 2 && parts[1][0] === 0) parts.pop();
    return parts.map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/// Its largest unit.
const roughly = (seconds) => duration(seconds).split(" ").slice(0, 2).join(" ");

function size(bytes) {
    let value = bytes ?? 0;
    for (const unit of ["B", "KiB", "MiB", "GiB", "TiB"]) {
        if (value < 1024 || unit === "TiB") return unit === "B" ? `${value} B`
            : `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
        value /= 1024;
    }
}

const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// UTC; with its day where it isn't today's.
function clock(milliseconds, seconds = true) {
    const time = new Date(milliseconds);
    const day = `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]} `;
    const today = new Date(now()).toISOString().slice(0, 10) === time.toISOString().slice(0, 10);
    return (today ? "" : day) + `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}` + (
        seconds ? `:${two(time.getUTCSeconds())}` : "");
}

const moment = (text) => h("time", { datetime: text, title: text }, clock(Date.parse(text)));

/// Numbers of up to 40 digits, as numbers.
function compareNumbers(a, b) {
    if (a === b) return 0;
    if (a === null || a === undefined) return -1;
    if (b === null || b === undefined) return 1;
    return a.length - b.length || (a < b ? -1 : 1);
}

// --- Commands ---

/// `word` as a shell reads it back. What can't be seen is written by its number: what is pasted is what was read.
function quoted(word) {
    if (/^[A-Za-z0-9\-_./:@%+,][A-Za-z0-9\-_./:=@%+,]*$/.test(word)) return word;
    if (!/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u.test(
        word)) return `'${word.replaceAll("'", "'\\''")}'`;
    const escaped = word.replace(/[\\'\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
        (c) =>
        c === "\\" || c === "'" ? `\\${c}` : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    return `$'${escaped}'`;
}

/// - names: positional, whatever they begin with.
function command(verb, names, ...options) {
    const words = names.some((word) => word.startsWith("-")) ? [...options, "--", ...names] : [...names, ...options];
    return ["shakectl", verb, ...words.map(quoted)].join(" ");
}

const step = (why, text) =>
    h("div", { class: "step", "data-key": text },
        h("p", null, why),
        h("div", { class: "command" },
            // Word by word, so that a line ends between words, not within --dry-run.
            h("code", null, text.split(" ").map((word, index) => [index > 0 && " ", h("span", null, word)])),
            h("button", { type: "button", "data-copy": text, "aria-label": `Copy: ${text}` },
                state.copied === text ? "Copied" : "Copy")));

const steps = (...all) => {
    const some = all.flat().filter(Boolean);
    return some.length ? h("div", { class: "steps" }, some) : null;
};

async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        // Of a page that did not come by https or from this machine, the browser keeps the clipboard to itself.
        const area = h("textarea", { class: "unseen", readonly: true });
        area.value = text;
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        if (!done) return say("The browser does not let this page copy: select the command by hand");
    }
    state.copied = text;
    say("Copied");
    draw();
    setTimeout(() => { if (state.copied === text) { state.copied = null; soon(); } }, 2000);
}

/// To a screen reader.
function say(text) { document.getElementById("said").textContent = text; }

// --- Signs ---

/// Told apart by form, not by colour alone.
const HEALTH_FORMS = {
    ok: () => [s("circle", { cx: 8, cy: 8, r: 7.5 }), s("path", { class: "cut", d: "M4.6 8.3l2.4 2.4 4.4-5" })],
    degraded: () => [s("path", { d: "M8 .8 15.6 14.6H.4Z" }), s("path", { class: "cut", d: "M8 6v3.6M8 12v.1" })],
    failed: () => [s("path", { d: "M8 0l8 8-8 8-8-8Z" }), s("path", { class: "cut", d: "M8 4v4.6M8 11.4v.1" })],
    stopped: () => [s("rect", { x: 1, y: 1, width: 14, height: 14, rx: 2 })],
    unknown: () => [s("circle", { cx: 8, cy: 8, r: 7.5 }), s("path", { class: "cut", d: "M5 8h6" })],
};
const healthSign = (health) =>
    s("svg", { class: `glyph ${HEALTH_FORMS[health] ? health : "unknown"}`, viewBox: "0 0 16 16",
        "aria-hidden": "true" },
        (HEALTH_FORMS[health] ?? HEALTH_FORMS.unknown)());

const STATUSES = {
    lost: { letter: "L", rank: 6 },
    waiting_for_parent: { letter: "W", rank: 4 },
    not_processed: { letter: "N", rank: 3 },
    prepared: { letter: "P", rank: 3 },
    in_processing: { letter: "R", rank: 1 },
    done: { letter: "D", rank: 0 },
    not_needed: { letter: "–", rank: 0 },
};
const isOver = (shard) => shard.status === "done" || shard.status === "not_needed" || shard.status === "lost";

const MARK_FORMS = {
    fault: () => [s("path", { class: "shape", d: "M0-7.4 7.4 6H-7.4Z" }),
        s("path", { class: "cut", d: "M0-2.4v3.4M0 3.6v.1" })],
    lost: () => [s("rect", { class: "shape", x: -6.5, y: -6.5, width: 13, height: 13, rx: 1.5 }),
        s("path", { class: "cut", d: "M-3-3l6 6M3-3l-6 6" })],
    refused: () => [s("path", { class: "shape", d: "M0-7.5 7.5 0 0 7.5-7.5 0Z" }),
        s("path", { class: "cut", d: "M-2.6 0h5.2" })],
    rewind: () => [s("circle", { class: "shape", r: 7 }),
        s("path", { class: "cut", d: "M3.4 0h-6.4M-.6-2.8-3.4 0l2.8 2.8" })],
    pause: () => [s("circle", { class: "shape", r: 7 }), s("path", { class: "cut", d: "M-2-2.6v5.2M2-2.6v5.2" })],
    other: () => [s("circle", { class: "shape", r: 3.2 })],
};
const markSign = (mark) =>
    s("svg", { class: `sign mark ${mark}`, viewBox: "-8 -8 16 16", "aria-hidden": "true" }, MARK_FORMS[mark]());

// --- State ---

const HOUR = 3600_000;
const BUCKET = 15_000;
const SHORTEST = 600_000; // that a graph covers
const QUIET = 15_000; // no word for so long, and what is shown is of before

const state = {
    tables: new Map(),
    shards: new Map(), // table → { lines, byID, asked, isStale }
    graphs: new Map(), // table → { buckets: Map(bucket → { records, lag }), samples, since, asked }
    histories: new Map(), // shard's key → { events: Map(position → event), ... }
    feed: [],
    opened: Date.now(),
    position: 0, // of the newest event that was sent
    skew: 0, // of the daemon's clock to ours
    heard: 0, // when the daemon last said how it is
    isLive: false,
    lostAt: null,
    problem: null,
    chosen: { table: null, shard: null },
    more: { tables: 25, lanes: 14, shards: 25, feed: 12, generations: false, events: 60 },
    filter: null, // a status
    sought: "", // a part of a shard's id
    lane: null, // the shard that the arrow keys stand on
    unfolded: new Set(), // what is drawn only once it is looked at
    pointed: null, // the event that was picked in the graph
    copied: null,
};

const now = () => Date.now() + state.skew;
const shardKey = (table, shard) => JSON.stringify([table, shard]);

// --- Asking ---

class Refusal extends Error {}

async function ask(path) {
    const answer = await fetch(path, { headers: { Accept: "application/x-ndjson" }, cache: "no-store" });
    const date = Date.parse(answer.headers.get("Date") ?? "");
    // The header has whole seconds, so half of one is its best guess; less than two is as well nothing.
    if (date) state.skew = Math.abs(date + 500 - Date.now()) > 2000 ? date + 500 - Date.now() : 0;
    const text = await answer.text();
    if (!answer.ok) throw new Refusal(`${answer.status}: ${text.slice(0, 300)}`);
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

async function askStatus() {
    takeStatus(await ask("api/v1/status"));
}

function takeStatus(lines) {
    state.heard = Date.now();
    state.tables = new Map(lines.map((line) => [line.table, line]));
    for (const line of lines) sample(line);
    const { table, shard } = chosen();
    if (table !== null) {
        askShards(table);
        askGraph(table);
    }
    if (shard !== null && historyOf(table, shard).problem) openHistory(table, shard);
    soon();
}

/// At most one question at a time for each table, and none where nothing has changed.
async function askShards(table) {
    const known = state.shards.get(table) ?? { lines: [], byID: new Map(), asked: 0, isStale: true, isAsking: false };
    state.shards.set(table, known);
    if (known.isAsking || Date.now() - known.asked < (known.isStale ? 1000
        : Math.max(5000, 20 * known.lines.length))) return;
    known.isAsking = true;
    known.isStale = false;
    known.asked = Date.now();
    try {
        known.lines = await ask(`api/v1/shards?table=${encodeURIComponent(table)}`);
        known.byID = new Map(known.lines.map((line) => [line.shard, line]));
        known.problem = null;
    } catch (problem) {
        known.problem = problem.message;
    }
    known.isAsking = false;
    soon();
}

// --- What was seen in the last hour ---

function graphOf(table) {
    if (!state.graphs.has(table)) state.graphs.set(
        table, { buckets: new Map(), samples: [], asked: false, back: null });
    return state.graphs.get(table);
}

function bucket(graph, time) {
    const place = Math.floor(time / BUCKET);
    if (!graph.buckets.has(place)) graph.buckets.set(place, { records: null, lag: null });
    return graph.buckets.get(place);
}

function sample(line) {
    const graph = graphOf(line.table);
    const time = now();
    const before = graph.samples.at(-1);
    const place = bucket(graph, time);
    if (before) place.records = (place.records ?? 0) + Math.max(0, line.records - before.records);
    if (line.lag_seconds !== null) place.lag = Math.max(place.lag ?? 0, line.lag_seconds);
    graph.samples.push({ time, records: line.records });
    while (graph.samples.length > 2 && time - graph.samples[0].time > 30_000) graph.samples.shift();
    const oldest = Math.floor((time - HOUR) / BUCKET);
    for (const old of graph.buckets.keys()) if (old < oldest) graph.buckets.delete(old);
}

/// Records a second, of half a minute; `null` where there is no telling yet.
function rate(table) {
    const { samples } = graphOf(table);
    if (samples.length < 2) return null;
    const seconds = (samples.at(-1).time - samples[0].time) / 1000;
    return seconds < 1 ? null : Math.max(0, samples.at(-1).records - samples[0].records) / seconds;
}

const SHARDS_OF_A_GRAPH = 6; // more histories than that are too much to ask for two small graphs

/// What the histories give of the time before this page was opened.
async function askGraph(table) {
    const graph = graphOf(table);
    const known = state.shards.get(table);
    if (graph.asked || !known || !known.lines.length) return;
    const from = now() - HOUR;
    // What was read in the last hour is open, or was closed in it; without times in the ids, only open ones are known.
    const read = known.lines.filter((line) => line.status === "in_processing" || (born(line.shard) ?? 0) > from);
    graph.asked = true;
    if (read.length > SHARDS_OF_A_GRAPH) return;
    const until = Math.floor(state.opened / BUCKET);
    let back = from;
    for (const line of read) {
        const events = await askHistory(line.shard, `since=1h&reverse=1&limit=${2 * PAGE}`,
            ["sequence_advanced"]).catch(() => null);
        if (!events) return;
        if (events.length >= 2 * PAGE) back = Math.max(back, Date.parse(events.at(-1).time));
        for (const event of events) {
            if (event.event !== "sequence_advanced") continue;
            const time = Date.parse(event.time);
            if (Math.floor(time / BUCKET) >= until || time < from) continue;
            const place = bucket(graph, time);
            place.records = (place.records ?? 0) + event.records;
            if (event.approximate_time) place.lag = Math.max(
                place.lag ?? 0, (time - Date.parse(event.approximate_time)) / 1000);
        }
    }
    graph.back = back;
    soon();
}

const askHistory = (shard, query, kinds = []) =>
    ask(`api/v1/history/${encodeURIComponent(shard)}?${[query, ...kinds.map((kind) => `event=${kind}`)].join("&")}`);

// --- A shard's history ---

const NOTABLE = ["faulted", "rewound", "range_lost", "loss_acknowledged", "record_refused", "refusal_settled", "paused",
    "resumed", "imported"];
const PAGE = 500;
const MOST = 10_000; // that the daemon gives at once

function historyOf(table, shard) {
    const key = shardKey(table, shard);
    if (!state.histories.has(key)) {
        state.histories.set(key,
            { table, shard, events: new Map(), state: null, hasAll: false, isAsking: false, problem: null, limit: 0 });
    }
    return state.histories.get(key);
}

/// The newest of all kinds, and what is notable however long ago.
async function openHistory(table, shard, limit = PAGE) {
    const history = historyOf(table, shard);
    if (history.isAsking) return;
    history.isAsking = true;
    soon();
    try {
        const [checkpoint] = await ask(`api/v1/state/${encodeURIComponent(shard)}`);
        history.state = checkpoint ?? null;
        const newest = await askHistory(shard, `reverse=1&limit=${limit}`);
        for (const event of newest) history.events.set(event.position, event);
        history.limit = Math.max(history.limit, limit);
        history.hasAll = newest.length < limit;
        if (!history.hasAll) {
            const notable = await askHistory(shard, "reverse=1&limit=200", NOTABLE).catch(() => []);
            for (const event of notable) history.events.set(event.position, event);
        }
        history.problem = null;
    } catch (problem) {
        history.problem = problem.message;
    }
    history.isAsking = false;
    soon();
}

// --- Live ---

let source = null;
let pause = 1000;
let timer = null;

function listen() {
    clearTimeout(timer);
    source?.close();
    // A browser that connects again by itself says what it has seen; a new stream has to be told.
    source = new EventSource(state.position ? `api/v1/events?after=${state.position}` : "api/v1/events");
    source.addEventListener("open", () => {
        pause = 1000;
        becomeLive();
    });
    source.addEventListener("status", (event) => {
        const lines = read(event.data);
        if (!lines) return;
        becomeLive();
        takeStatus(lines);
    });
    source.addEventListener("journal", (event) => {
        const line = read(event.data);
        if (!line) return;
        becomeLive();
        takeEvent(line);
    });
    source.addEventListener("error", () => loseLive());
}

function read(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null; // cut off with the connection; the next one is whole
    }
}

function becomeLive() {
    if (state.isLive) return;
    const was = state.lostAt;
    state.isLive = true;
    state.lostAt = null;
    if (was) {
        // What happened meanwhile.
        for (const known of state.shards.values()) known.isStale = true;
        const { table, shard } = chosen();
        if (shard !== null) openHistory(table, shard);
    }
    soon();
}

function loseLive() {
    if (state.isLive || state.lostAt === null) {
        state.isLive = false;
        state.lostAt ??= Date.now();
    }
    source?.close();
    clearTimeout(timer);
    timer = setTimeout(retry, pause);
    pause = Math.min(pause * 1.6, 15_000);
    soon();
}

/// A proxy may pass answers on and hold streams back: then it is asked for now and then, and says so.
function retry() {
    askStatus().catch(() => {});
    listen();
}

function takeEvent(event) {
    state.position = event.position;
    if (LOUD.has(event.event) && !state.feed.some((one) => one.position === event.position)) {
        state.feed.unshift(event);
        if (state.feed.length > 200) state.feed.length = 200;
    }
    if (event.table !== null && event.shard !== null) {
        const known = state.shards.get(event.table);
        const line = known?.byID.get(event.shard);
        if (line && event.event === "sequence_advanced") line.sequence_number = event.sequence_number;
        else if (known && CHANGES_LINEAGE.has(event.event)) {
            known.isStale = true;
            if (chosen().table === event.table) askShards(event.table);
        }
        const history = state.histories.get(shardKey(event.table, event.shard));
        if (history) {
            history.events.set(event.position, event);
            if (state.chosen.shard === event.shard) {
                askCheckpoint(history);
                thin(history);
            } else if (history.events.size > 2 * PAGE) state.histories.delete(shardKey(event.table, event.shard));
        }
    }
    soon();
}

/// A page that is open for days keeps what is notable, and of the rest the newest.
function thin(history) {
    if (history.events.size <= Math.max(8 * PAGE, 2 * history.limit)) return;
    const routine = [...history.events.values()].filter((event) => !NOTABLE.includes(event.event)).sort(
        (a, b) => a.position - b.position);
    for (const event of routine.slice(0, routine.length / 2)) history.events.delete(event.position);
    history.hasAll = false;
}

async function askCheckpoint(history) {
    if (history.asksState) return;
    history.asksState = true;
    await new Promise((done) => setTimeout(done, 1500));
    [history.state] = await ask(`api/v1/state/${encodeURIComponent(history.shard)}`).catch(() => [history.state]);
    history.asksState = false;
    soon();
}

const CHANGES_LINEAGE = new Set(
    ["shard_discovered", "status_changed", "rewound", "range_lost", "loss_acknowledged", "history_folded", "imported",
    "paused", "resumed"]);
const LOUD = new Set([...NOTABLE, "phase_changed", "run_started", "run_stopped", "scan_finished", "repaired",
    "table_removed", "status_changed"]);

// --- What an event says ---

const because = (reason) => (reason ? ` (${plain(reason)})` : "");

const WORDS = {
    run_started: (e) => ["A run began",
        `${e.role} ${e.version}, pid ${e.pid} on ${plain(e.host)}${e.target ? `, into ${plain(e.target)}` : ""}`],
    run_stopped: (e) => ["A run ended", plain(e.reason)],
    phase_changed: (e) => [`Phase: ${e.to}`, `${e.from ? `before ${e.from}; ` : ""}${plain(e.reason)}`],
    scan_advanced: (e) => ["Scan",
        `segment ${e.segment} of ${e.total_segments}: ${counted(e.items, "item")}, ${size(e.bytes)}`],
    scan_finished: (e) => ["Scan finished", counted(e.items, "item")],
    rows_swept: (e) => ["Rows swept", `${counted(e.rows, "row")} removed that the source has no more`],
    repaired: (e) => ["Repaired", `${counted(e.written + e.removed, "row")} put right, by ${plain(e.author)}`],
    table_removed: () => ["Table removed", "the source has no table of this name any more; what is known of it stays"],
    shard_discovered: (e) => [e.revision === 1 ? "Discovered" : "Range changed",
        [e.starting_sequence_number ? ["from ", sequence(e.starting_sequence_number)] : "open at its start",
            e.ending_sequence_number ? [" to ", sequence(e.ending_sequence_number), ", closed"] : ", open",
            e.parent ? `, child of ${plain(e.parent)}` : "", `, begins at ${e.start}`]],
    queried: (e) => ["Taken up",
        [`saw revision ${e.seen_revision}, ${e.status}, ${e.iterator_type} `, sequence(e.sequence_number, ""),
        `, by ${plain(e.worker)}`]],
    iterator_resolved: (e) => ["Place resolved", [`${e.rule}: ${e.iterator_type} `, sequence(e.sequence_number, "")]],
    status_changed: (e) => [`${e.from} → ${e.to}`, plain(e.reason)],
    sequence_advanced: (e) =>
        ["Advanced", ["to ", sequence(e.sequence_number), `: ${counted(e.records, "record")}, ${size(e.bytes)}`]],
    advances_folded: (e) => ["Advances, folded",
        [`${counted(e.count, "advance")} since ${clock(Date.parse(e.since))}, to `, sequence(e.sequence_number),
        `: ${counted(e.records, "record")}`]],
    history_folded: (e) => ["History, folded",
        [`${counted(e.count, "event")} since ${clock(Date.parse(e.since))}: then ${e.status} at `,
        sequence(e.sequence_number), `, ${counted(e.records, "record")} in all`]],
    faulted: (e) => [`Fault: ${plain(e.code)}`,
        `${plain(e.message)}${e.retried ? "; tried again" : "; not tried again"}`],
    rewound: (e) => ["Rewound", [
        "from ", sequence(e.from_sequence_number), " back to ", sequence(e.to_sequence_number),
            e.inclusive ? " inclusive" : "",
        `, epoch ${e.epoch}, by ${plain(e.author)}`, e.cascade_root ? `, with its ancestor ${plain(e.cascade_root)}`
            : "", because(e.reason)]],
    range_lost: (e) => ["Records lost", [
        "what came after ", sequence(e.from_sequence_number),
            e.to_sequence_number ? [" and before ", sequence(e.to_sequence_number)] : "",
        ` (${e.cause}; policy ${e.policy}): ${plain(e.detail)}`]],
    loss_acknowledged: (e) =>
        ["Loss acknowledged", `by ${plain(e.author)}${e.remedy ? `, goes on by ${e.remedy}` : ""}${because(e.reason)}`],
    record_refused: (e) => ["Record refused",
        [e.sequence_number ? ["the record at ", sequence(e.sequence_number)] : "an item of the full sync",
        `, now a dead letter: ${plain(e.cause)}`]],
    refusal_settled: (e) => ["Dead letter settled", `${e.refusal}, by ${plain(e.author)}${because(e.reason)}`],
    in_step: (e) => ["In step", `all that was made until ${clock(Date.parse(e.until))} is in the target`],
    paused: (e) => ["Paused", `by ${plain(e.author)}${because(e.reason)}`],
    resumed: (e) => ["Resumed", `by ${plain(e.author)}${because(e.reason)}`],
    imported: (e) => ["Imported", `${e.status}, from ${plain(e.origin?.source)}${because(e.reason)}`],
};

const MARKS = {
    faulted: "fault", rewound: "rewind", range_lost: "lost", record_refused: "refused", paused: "pause",
    resumed: "other", loss_acknowledged: "other", refusal_settled: "other", imported: "other",
};
const MARK_WORDS = { fault: "fault", rewind: "rewind", lost: "records lost", refused: "record refused", pause: "pause",
    other: "acknowledged, settled or resumed" };

/// A kind that this page doesn't know is one of a newer daemon.
function words(event) {
    const [title, said] = WORDS[event.event]?.(event) ?? [event.event, "of a kind that this page does not know"];
    return { title, said, mark: MARKS[event.event] ?? null };
}

// --- What to do next ---

/// As the command line takes a shard: its whole id, with its table where two tables have such a one.
function shardName(table, shard) {
    const elsewhere = [...state.shards].some(([other, known]) => other !== table && known.byID.has(shard));
    return elsewhere ? `${table}/${shard}` : shard;
}

/// A shard in a sentence: the end of its id.
const shardEnd = (shard) => plain(`…${shard.slice(-8)}`);

const stops = (loss) => loss.policy === "stop" && loss.remedy === null;

function tableSteps(line) {
    const table = line.table;
    const all = [];
    const losses = line.losses ?? [];
    const lossy = [...new Set(losses.map((loss) => loss.shard).filter((shard) => shard !== null))];
    for (const shard of lossy.slice(0, 3)) all.push(
        step(lossy.length > 1 ? `See where the records of ${shardEnd(shard)} were lost` : "See where the records were lost",
        command("history", [shardName(table, shard)], "--reverse", "--limit", "20")));
    if (losses.some(stops)) {
        all.push(step("The table stands still. Scan it again, which brings what the lost changes led to (needs --mode all)",
            command("ack", [table], "--resync")));
        all.push(step("Or go on without what is lost", command("ack", [table], "--skip")));
    } else if (losses.some((loss) => !loss.acknowledged)) {
        all.push(step("Take note of the loss", command("ack", [table])));
        if (losses.some((loss) => loss.policy === "skip")) all.push(
            step("Or bring what the lost changes led to, by a full scan beside the stream",
            command("resync", [table])));
    }
    if (!losses.length && /full sync/.test(`${line.reason} ${line.last_error ?? ""}`) && line.health === "failed") {
        all.push(step("Scan the table in full again (needs --mode all)", command("resync", [table])));
    }
    if (line.dead_letters > 0) {
        all.push(step("See which records the target could not hold, and why", command("dead-letters", [])));
        all.push(step("Deliver them again, once the cause is mended", command("dead-letters", ["retry"], "--all")));
    }
    const isExplained = all.length > 0;
    for (const pause of (line.pauses ?? []).slice(0, 3)) {
        all.push(step(pause.shard ? "Let the shard go on" : "Let the table go on",
            command("resume", [pause.shard ? `${table}/${pause.shard}` : table])));
    }
    if (line.health !== "ok" && !isExplained) {
        const slowest = worstShard(table);
        if (line.health === "stopped") all.push(step("See what keeps it", command("status", [])));
        else if (slowest) all.push(
            step("See what the shard that is furthest behind went through",
            command("history", [shardName(table, slowest.shard)], "--reverse", "--limit", "20")));
        all.push(step("See all shards, and which waits for which", command("shards", [table])));
    }
    return all;
}

function worstShard(table) {
    const lines = state.shards.get(table)?.lines.filter((line) => !isOver(line)) ?? [];
    return lines.sort((a, b) => (b.lag_seconds ?? -1) - (a.lag_seconds ?? -1))[0] ?? null;
}

// --- The frame: whether it is live, and whether it is well ---

const HEALTH_RANK = { failed: 3, stopped: 2, degraded: 1, ok: 0 };
const rankOf = (line) => HEALTH_RANK[line.health] ?? 2;
const byTrouble = (a, b) => rankOf(b) - rankOf(a) || (a.table < b.table ? -1 : a.table > b.table ? 1 : 0);
const isStale = () => state.heard > 0 && Date.now() - state.heard > QUIET;

function drawLive() {
    const live = document.getElementById("live");
    const dot = s("svg", { class: "glyph", viewBox: "0 0 8 8", "aria-hidden": "true" },
        s("circle", { cx: 4, cy: 4, r: 3 }));
    live.className = `live ${state.isLive ? "is-live" : "is-off"}`;
    const text =
        state.isLive ? "Live"
        : state.lostAt === null ? "Connecting"
        : `Not live since ${clock(state.lostAt + state.skew)}; trying again`;
    morphChildren(live, [dot, document.createTextNode(text)]);
}

function verdict() {
    const lines = [...state.tables.values()];
    if (!state.heard) return state.lostAt === null ? ["unknown", "Asking the daemon"]
        : ["unknown", "The daemon does not answer"];
    if (isStale()) return ["unknown",
        `No word from the daemon for ${duration(Math.round((Date.now() - state.heard) / 1000))}`];
    if (!lines.length) return ["unknown", "No table is known yet"];
    const of = (health) => lines.filter((line) => line.health === health).length;
    const all = counted(lines.length, "table");
    for (const [health, word] of [["failed", "needs you"], ["stopped", "stopped"], ["degraded", "degraded"]]) {
        const number = of(health);
        if (!number) continue;
        if (lines.length === 1) return [health, health === "failed" ? "The table needs you" : `The table is ${word}`];
        const verb = health === "failed" ? (number === 1 ? "needs you" : "need you")
            : `${number === 1 ? "is" : "are"} ${word}`;
        return [health, `${count(number)} of ${all} ${verb}`];
    }
    const other = lines.find((line) => line.health !== "ok");
    if (other) return ["unknown", `${plain(other.table)} is ${plain(other.health)}`];
    return ["ok", lines.length === 1 ? "The table is well" : lines.length === 2 ? "Both tables are well"
        : `All ${all} are well`];
}

function drawVerdict() {
    const [health, words] = verdict();
    const lines = [...state.tables.values()].sort(byTrouble);
    const lags = lines.map((line) => line.lag_seconds).filter((lag) => lag !== null);
    const rates = lines.map((line) => rate(line.table)).filter((value) => value !== null);
    const facts = [];
    if (state.heard && lines.length) {
        if (lags.length) facts.push(Math.max(...lags) < 1 ? "in step with the source"
            : `at most ${duration(Math.max(...lags))} behind`);
        if (rates.length) facts.push(`${rateWords(rates.reduce((a, b) => a + b, 0))} records a second`);
        facts.push(`as of ${clock(state.heard + state.skew)} UTC`);
    }
    const sub =
        isStale() ? `What is below is of ${clock(state.heard + state.skew)} UTC, and may be wrong by now.`
        : facts.length ? facts.join(" · ").replace(/^./, (c) => c.toUpperCase())
        : null;
    const lost = !state.heard && state.lostAt !== null || isStale();
    const troubles = lines.filter((line) => line.health !== "ok");
    const shown = troubles.slice(0, 6);
    show("verdict",
        h("h1", { id: "verdict-title" }, healthSign(health), h("span", null, words)),
        sub && h("p", { class: "sub" }, sub),
        lost && h("div", { class: "troubles" }, h("div", { class: "trouble", "data-key": "silence" },
            h("p", { class: "why" },
                "This page comes from the daemon itself: where it says nothing, the daemon has ended, hangs, "
                    + "or can’t be reached from here."),
            steps(step("On the daemon’s machine, see whether it runs and what it did last", "shakectl status"),
                step("And what the journal has of the last minutes", "shakectl tail --limit 50")))),
        shown.length > 0 && h("div", { class: "troubles" }, shown.map(trouble)),
        troubles.length > shown.length && h("p", { class: "rest soft" },
            `And ${counted(troubles.length - shown.length, "table")} more, below.`));
    const sign = { ok: "✓", degraded: "▲", failed: "◆", stopped: "■" }[health] ?? "?";
    document.title = `${sign} ${words} – Shake`;
    if (state.saidVerdict && state.saidVerdict !== health) say(words);
    state.saidVerdict = health;
}

const trouble = (line) =>
    h("article", { class: `trouble ${line.health}`, "data-key": line.table },
        h("h2", null, healthSign(line.health), h("a", { href: link(line.table) }, name(line.table)),
            h("span", { class: `word ${line.health}` }, plain(line.health))),
        h("p", { class: "why" }, spoken(line.reason)),
        line.last_error && !line.reason.includes(line.last_error)
            && h("p", { class: "why small" }, "Last error: ", spoken(line.last_error)),
        pauseLines(line),
        lookAt(line),
        steps(tableSteps(line)));

/// Who has paused what, where the reason does not say it.
const pauseLines = (line) =>
    (line.pauses ?? []).filter((pause) => !line.reason.includes(`paused by ${pause.author}`)).slice(0, 6).map((pause) =>
    h("p", { class: "note small" },
        pause.shard ? ["Shard ", h("span", { class: "mono", title: pause.shard }, plain(`…${pause.shard.slice(-8)}`)),
        " is paused"] : "Paused",
        ` by ${plain(pause.author)} since ${clock(Date.parse(pause.since))}`,
        pause.reason && `: ${plain(pause.reason)}`,
        pause.held_until && `; the stream surely holds what waits until ${clock(Date.parse(pause.held_until))}`));

/// Where on this page it is seen what happened.
function lookAt(line) {
    const named = (line.losses ?? []).concat(line.pauses ?? []).map((one) => one.shard).filter(
        (shard) => shard !== null);
    const worst = named.length ? null : worstShard(line.table);
    const shards = [...new Set(worst ? [worst.shard] : named)].slice(0, 4);
    return shards.length > 0
        && h("p", { class: "small" }, shards.length > 1 ? "What happened to its shards: "
        : "What happened to its shard: ",
        shards.map((shard, index) =>
            [index > 0 && ", ", h("a", { href: link(line.table, shard), class: "mono", title: shard },
            shardEnd(shard))]));
}

// --- The tables ---

const shardCount = (line) => Object.values(line.shards ?? {}).reduce((a, b) => a + b, 0);
const phaseWords = (line) =>
    [line.phase ?? "–", line.scan?.percent !== null && line.scan?.percent !== undefined ? `, ${line.scan.percent} %`
        : ""].join("");

function drawTables() {
    const all = [...state.tables.values()].sort(byTrouble);
    if (!all.length) return show("tables");
    const lines = all.slice(0, state.more.tables);
    const { table } = chosen();
    show("tables",
        h("h2", { id: "tables-title" }, "Tables"),
        h("table", { class: "grid cards of-tables", role: "table" },
            h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
                ["Table", "Health", "Phase"].map((text) => h("th", { role: "columnheader", scope: "col" }, text)),
                ["Lag", "Records/s", "Records"].map((text) =>
                    h("th", { role: "columnheader", scope: "col", class: "number" }, text)),
                h("th", { role: "columnheader", scope: "col" }, "Lag and rate since " + clock(begin(), false)))),
            h("tbody", { role: "rowgroup" }, lines.map((line) =>
                h("tr", { role: "row", "data-key": line.table,
                    "aria-current": line.table === table && all.length > 1 ? "true" : null },
                    h("td", { role: "cell" }, h("a", { href: link(line.table) }, name(line.table))),
                    h("td", { role: "cell", "data-name": "Health" }, healthSign(line.health),
                        h("span", { class: `word ${line.health}` }, plain(line.health)),
                        (line.pauses ?? []).length > 0 && h("span", { class: "word degraded" }, ", paused")),
                    h("td", { role: "cell", "data-name": "Phase" },
                        h("span", { class: "mono small" }, phaseWords(line))),
                    h("td", { role: "cell", class: "number", "data-name": "Lag" }, duration(line.lag_seconds)),
                    h("td", { role: "cell", class: "number", "data-name": "Records/s" }, rateWords(rate(line.table))),
                    h("td", { role: "cell", class: "number", "data-name": "Records" }, count(line.records)),
                    h("td", { role: "cell", class: "full" },
                        h("div", { class: "graphs" }, spark(line.table, "lag", 132, 26),
                        spark(line.table, "records", 132, 26))))))),
        all.length > lines.length && h("div", { class: "tools" },
            h("button", { type: "button", "data-more": "tables", "data-by": 100 },
            `Show ${counted(all.length - lines.length, "more table")}`)));
}

/// A small graph of the last hour. Where nothing is known, nothing is drawn.
function spark(table, what, width, height, isLarge = false) {
    const graph = graphOf(table);
    const to = Math.floor(now() / BUCKET);
    const from = Math.floor(begin() / BUCKET);
    // As many points as can be told apart.
    const stride = Math.max(1, Math.ceil((to - from + 1) / 60));
    const values = [];
    for (let place = to - Math.floor((to - from) / stride) * stride; place <= to; place += stride) {
        values.push(what === "lag" ? greatestLag(graph, place, stride) : rateOf(graph, place, stride));
    }
    // A lag that nobody spoke of for a moment is what it was.
    if (what === "lag") values.forEach(
        (found, index) => { if (found === null && index && values.slice(index + 1, index + 3).some(
        (next) => next !== null)) values[index] = values[index - 1]; });
    const known = values.filter((found) => found !== null);
    const top = Math.max(what === "lag" ? 5 : 1, ...known);
    const [left, right, up, down] = isLarge ? [0, 6, 16, 20] : [0, 4, 3, 3];
    const x = (index) => left + (index / (values.length - 1)) * (width - left - right);
    const y = (found) => height - down - (found / top) * (height - up - down);
    const runs = [];
    values.forEach((found, index) => {
        if (found === null) return;
        if (index && values[index - 1] !== null) runs.at(-1).push([x(index), y(found)]);
        else runs.push([[x(index), y(found)]]);
    });
    const path = (run) => run.map(([px, py], index) => `${index ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join(
        "");
    const last = known.length ? runs.at(-1).at(-1) : null;
    const most = Math.max(0, ...known);
    const words = what === "lag" ? duration(known.length ? most : null) : most ? `${rateWords(most)} a second` : "none";
    const label = `${what === "lag" ? "Lag" : "Rate"} since ${clock(begin(), false)}: `
        + (known.length ? `at most ${words}` : "nothing known yet");
    return s("svg", { class: "spark", role: "img", "aria-label": label, width, height,
        viewBox: `0 0 ${width} ${height}` },
        s("title", null, label),
        isLarge && s("line", { class: "base", x1: 0, x2: width - right, y1: height - down + 0.5,
            y2: height - down + 0.5 }),
        s("line", { class: "unknown", x1: 0, x2: known.length ? Math.max(0, runs[0][0][0] - 2) : width - right,
            y1: height - down, y2: height - down }),
        runs.map((run) => [
            run.length > 1 && s("path",
                { class: "area", d: `${path(run)}V${height - down}H${run[0][0].toFixed(1)}Z` }),
            s("path", { class: "line", d: path(run) })]),
        last && s("circle", { cx: last[0], cy: last[1], r: isLarge ? 3 : 2.2 }),
        isLarge && known.length > 0 && s("text", { x: 0, y: 11 }, most ? `at most ${words}` : words),
        isLarge && s("text", { x: 0, y: height - 4 }, clock(begin(), false)),
        isLarge && s("text", { x: width - right, y: height - 4, "text-anchor": "end" }, "now"));
}

const stretch = (graph, place, stride) => Array.from({ length: stride },
    (_, index) => graph.buckets.get(place - index));

function greatestLag(graph, place, stride) {
    const found = stretch(graph, place, stride).map((one) => one?.lag ?? null).filter((lag) => lag !== null);
    return found.length ? Math.max(...found) : null;
}

/// One that has only begun, or was only half seen, has had less time to bring records.
function rateOf(graph, place, stride) {
    const seen = Math.min(now(), (place + 1) * BUCKET) - Math.max((place - stride + 1) * BUCKET, knownSince(graph));
    return seen < (stride * BUCKET) / 3 ? null : stretch(graph, place, stride).reduce(
        (all, one) => all + (one?.records ?? 0), 0) / (seen / 1000);
}

/// Since when a stretch without an event is one without records: somebody looked.
const knownSince = (graph) => graph.back ?? state.opened + state.skew;

/// Where all graphs begin, so that one can be held against another: as far back as anything is known, an hour at most.
function begin() {
    const known = Math.min(...[...state.graphs.values()].map(knownSince), state.opened + state.skew);
    return Math.max(now() - HOUR, Math.min(known, now() - SHORTEST));
}

// --- One table ---

const link = (table, shard = null) => `#${new URLSearchParams(shard === null ? { table } : { table, shard })}`;

/// What was asked for, or what needs a look first.
function chosen() {
    const { table, shard } = state.chosen;
    if (table !== null) return { table, shard };
    return { table: [...state.tables.values()].sort(byTrouble)[0]?.table ?? null, shard: null };
}

const fact = (title, ...value) => [h("div", null, h("dt", null, title), h("dd", null, ...value))];
const bigFact = (title, value) => h("div", null, h("dt", null, title), h("dd", { class: "big" }, value));

function drawTable() {
    const { table } = chosen();
    if (table === null || !state.heard) return show("table");
    const line = state.tables.get(table);
    if (!line) return show("table", h("h2", { id: "table-title", tabindex: "-1" }, name(table)),
        h("p", null, "The journal does not know this table."));
    const width = document.getElementById("main").clientWidth;
    const large = width > 640 ? (width - 24) / 2 : width;
    show("table",
        h("div", { class: "title" }, h("h2", { id: "table-title", tabindex: "-1" }, name(table)),
            line.stream && h("span", { class: "soft mono" }, plain(line.stream))),
        h("dl", { class: "facts" },
            bigFact("Health", h("span", { class: `word ${line.health}` }, plain(line.health))),
            bigFact("Lag", duration(line.lag_seconds)),
            bigFact("Records a second", rateWords(rate(table))),
            bigFact("Records in all", count(line.records)),
            bigFact("Shards", count(shardCount(line)))),
        line.health === "ok" && h("p", { class: "note" }, spoken(line.reason)),
        line.health === "ok" && line.last_error && h("p", { class: "note small" },
            h("span", { class: "soft" }, "Last error: "), spoken(line.last_error)),
        line.health === "ok" && pauseLines(line),
        line.scan && scanProgress(line.scan),
        h("p", { class: "note small soft" }, [
            line.read_seconds !== null && `The shard that waits longest was read ${duration(line.read_seconds)} ago`,
            line.listed_seconds !== null && `shards were listed ${duration(line.listed_seconds)} ago`,
            line.acknowledged_seconds !== null
                && `the target acknowledged a write ${duration(line.acknowledged_seconds)} ago`,
        ].filter(Boolean).join("; ").replace(/^s/, "S").replace(/.$/, "$&.")),
        h("div", { class: "pair" },
            h("figure", null, h("figcaption", null, "Lag"), spark(table, "lag", large, 96, true)),
            h("figure", null, h("figcaption", null, "Records a second"), spark(table, "records", large, 96, true))),
        line.health === "ok" && steps(tableSteps(line)),
        lineageParts(line, width));
}

function scanProgress(scan) {
    // The rest stands in the reason.
    const words = [
        scan.percent !== null && `${scan.percent} %`, `${counted(scan.readers, "reader")}`,
        `${rateWords(scan.items_per_second)} items a second`,
        scan.seconds_left !== null && `${duration(scan.seconds_left)} left`,
    ].filter(Boolean).join(", ");
    return h("div", null,
        scan.percent !== null && h("progress", { max: 100, value: scan.percent, "aria-label": "Full sync" },
            `${scan.percent} %`),
        h("p", { class: "note small" }, words));
}

// --- The lineage: time runs to the right, each line of descent has a lane ---

/// Service and simulator write into a shard's id when it was made, in milliseconds. Where ids say something else, there is
/// only the order.
function born(shard) {
    const time = Number(/^shardId-0*(\d{13})-/.exec(shard)?.[1] ?? NaN);
    return time > 1.3e12 && time < Date.now() + 86_400_000 ? time : null;
}

/// The least that tells it from the others: the end of its id.
function shortNames(lines) {
    const names = new Map();
    const ends = lines.map((line) => /[^-]*$/.exec(line.shard)[0] || line.shard);
    const seen = new Map();
    ends.forEach((end) => seen.set(end, (seen.get(end) ?? 0) + 1));
    lines.forEach((line, index) => {
        const end = seen.get(ends[index]) === 1 ? ends[index] : line.shard;
        names.set(line.shard, end.length > 14 ? `…${end.slice(-12)}` : end);
    });
    return names;
}

/// Times at which shards began, on a line from 0 to 1: half by the clock, half by their order, so that neither a quiet day
/// nor a burst of splits fills it alone.
class Scale {
    constructor(times, end, byClock) {
        this.times = [...new Set(times)].sort((a, b) => a - b);
        this.end = Math.max(end, (this.times.at(-1) ?? end) + 1);
        const span = Math.max(1, this.end - (this.times[0] ?? 0));
        const part = byClock ? 0.5 : 0;
        this.places = this.times.map(
            (time, index) => part * ((time - this.times[0]) / span) + (1 - part) * (index / this.times.length));
    }

    at(time) {
        const { times, places } = this;
        if (!times.length || time <= times[0]) return 0;
        if (time >= this.end) return 1;
        let low = 0;
        let high = times.length - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (times[middle] <= time) low = middle;
            else high = middle - 1;
        }
        const [from, to] = [places[low], places[low + 1] ?? 1];
        return from + ((time - times[low]) / ((times[low + 1] ?? this.end) - times[low])) * (to - from);
    }
}

/// The shards of one stream with when they began and ended, parents before their children.
function descent(lines) {
    const byID = new Map(lines.map((line) => [line.shard, line]));
    const sorted = [...lines].sort((a, b) => compareNumbers(a.starting_sequence_number, b.starting_sequence_number));
    const times = sorted.map((line) => born(line.shard));
    const byClock = times.every((time, index) => time !== null && (index === 0 || times[index - 1] <= time));
    const nodes = new Map();
    sorted.forEach((line, index) => {
        const parent = line.parent !== null && byID.has(line.parent) && line.parent !== line.shard ? line.parent : null;
        nodes.set(line.shard, { line, parent, children: [], from: byClock ? times[index] : index, to: null });
    });
    for (const node of nodes.values()) if (node.parent !== null) nodes.get(node.parent)?.children.push(node);
    // Children of one shard began together.
    let order = 0;
    for (const node of nodes.values()) {
        if (!byClock) node.from = node.parent !== null && nodes.get(node.parent).to !== null ? nodes.get(node.parent).to
            : order++;
        if (node.children.length) node.to = byClock ? Math.min(...node.children.map((child) => child.from)) : order++;
    }
    return { nodes, byClock, end: byClock ? now() : order };
}

/// One lane for each line of descent, the first child going on in its parent's. With a stack: it may be deep.
function lanes(nodes) {
    const visible = new Set(nodes);
    const all = [];
    const seen = new Set();
    const isRoot = (node) => node.parent === null || !visible.has(node.parentNode);
    // After the roots all once more, so that nothing is left out of a circle, which no service should list.
    const stack = [...nodes.filter(isRoot), ...nodes].reverse().map((node) => [node, null]);
    while (stack.length) {
        const [node, lane] = stack.pop();
        if (seen.has(node)) continue;
        seen.add(node);
        const own = lane ?? { nodes: [] };
        if (!lane) all.push(own);
        own.nodes.push(node);
        node.lane = own;
        const children = node.children.filter((child) => visible.has(child));
        for (let index = children.length - 1; index >= 0; index--) stack.push(
            [children[index], index === 0 ? own : null]);
    }
    return all;
}

const BEHIND = 10; // seconds that a shard may be behind before it is worth a look

function interest(node, lost) {
    const { line } = node;
    if (lost.has(line.shard)) return 1e9;
    if (line.status === "in_processing") return (line.lag_seconds ?? 0) > BEHIND ? 1e3 + line.lag_seconds : 0;
    return (STATUSES[line.status]?.rank ?? 5) > 1 && line.status !== "lost" ? STATUSES[line.status]?.rank ?? 5 : 0;
}

function lineageParts(line, width) {
    const known = state.shards.get(line.table);
    if (known?.problem) return h("p", { class: "note" }, `The shards can't be shown: ${plain(known.problem)}`);
    if (!known?.lines.length) return null;
    const streams = new Map();
    for (const shard of known.lines) streams.set(shard.stream, [...(streams.get(shard.stream) ?? []), shard]);
    const current = streams.get(line.stream) ? line.stream : [...streams.keys()].at(-1);
    const older = [...streams].filter(([stream]) => stream !== current);
    const paused = new Set((line.pauses ?? []).map((pause) => pause.shard));
    const lost = new Set((line.losses ?? []).map((loss) => loss.shard));
    const context = { table: line.table, width, paused, lost };
    return [
        h("div", { class: "sub-head" }, h("h3", { id: "lineage-title" }, "Lineage"),
            h("p", { class: "small soft" }, summary(streams.get(current)))),
        filters(streams.get(current)),
        lineage(streams.get(current), context),
        older.length > 0 && h("details", { "data-key": "older" },
            h("summary", null, `${counted(older.length, "older stream")} of this table`),
            older.map(([stream, shards]) => [h("p", { class: "small soft mono" }, plain(stream)),
                lineage(shards, context, "older-")])),
        shardTable(known.lines, context),
    ];
}

function summary(shards) {
    const reading = shards.filter((line) => line.status === "in_processing");
    const far = reading.filter((line) => (line.lag_seconds ?? 0) > 60).length;
    const near = reading.filter((line) => (line.lag_seconds ?? 0) > BEHIND).length - far;
    const parts = [`${counted(shards.length, "shard")}, ${count(reading.length)} being read`];
    if (reading.length) parts.push(far + near === 0 ? "each in step" : `${count(reading.length - far - near)} in step`);
    if (near) parts.push(`${count(near)} up to a minute behind`);
    if (far) parts.push(`${count(far)} more than a minute behind`);
    return parts.join(", ");
}

function swatch(status) {
    return s("svg", { class: "swatch", viewBox: "0 0 18 16", "aria-hidden": "true" },
        barShapes({ status, x: 0.5, y: 1, width: 17, height: 14, reached: status === "in_processing" ? 1 : 0 },
            `swatch-${status}`));
}

function filters(shards) {
    const numbers = new Map();
    for (const line of shards) numbers.set(line.status, (numbers.get(line.status) ?? 0) + 1);
    return h("div", { class: "filters", role: "group", "aria-label": "Show only shards that are" },
        Object.keys(STATUSES).concat([...numbers.keys()].filter((status) => !STATUSES[status])).filter(
            (status) => numbers.has(status)).reverse().map((status) =>
            h("button", { type: "button", "data-filter": status, "data-key": status,
                "aria-pressed": String(state.filter === status) },
                swatch(status), `${count(numbers.get(status))} ${plain(status)}`)));
}

/// The bar of a shard: body, what of it is read, letter.
function barShapes(bar, id) {
    const { status, x, y, width, height, reached } = bar;
    const letter = STATUSES[status]?.letter ?? "?";
    const radius = Math.min(3, width / 2);
    const behind = status === "in_processing" && reached * width < width / 2 + 7;
    const look = ["bar", STATUSES[status] ? status : "not_processed", behind && "behind", bar.isPaused && "paused",
        bar.isChosen && "chosen"];
    return s("g", { class: look.filter(Boolean).join(" ") },
        s("rect", { class: "body", x, y, width, height, rx: radius }),
        status === "in_processing" && reached > 0 && s("rect",
            { class: "reached", x, y, width: Math.max(2, reached * width), height, rx: radius }),
        status === "lost" && s("path", { class: "hatch", d: hatch(x, y, width, height) }),
        width >= 12 && !(bar.isPaused && width < 30) && s("text",
            { x: x + width / 2 + (behind ? Math.min(width / 2 - 8, (reached * width) / 2) : 0),
            y: y + height / 2 + 3.8 }, letter),
        bar.isHurt && s("path", { class: "wound", d: `M${x + width - 12} ${y + 3}h10v10h-10z` }),
        bar.isHurt && s("path", { class: "cut", d: `M${x + width - 9.5} ${y + 5.5}l5 5m0-5l-5 5` }),
        bar.isPaused && width >= 12
            && s("path", { class: "sign",
            d: `M${x + width - 10} ${y + 3.5}h2v${height - 7}h-2zm4 0h2v${height - 7}h-2z` }),
        s("rect", { class: "edge", x: x - 1, y: y - 1, width: width + 2, height: height + 2, rx: radius + 1 }));
}

function hatch(x, y, width, height) {
    let d = "";
    for (let at = -height + 4; at < width; at += 6) {
        const [x1, x2] = [Math.max(0, at), Math.min(width, at + height)];
        const [y1, y2] = [x1, x2].map((side) => (y + height - (side - at)).toFixed(1));
        d += `M${(x + x1).toFixed(1)} ${y1}L${(x + x2).toFixed(1)} ${y2}`;
    }
    return d;
}

function statusWords(line, context) {
    const lag = line.lag_seconds;
    const parts = [line.status];
    if (context.lost.has(line.shard)) parts.push("records lost");
    if (context.paused.has(line.shard) || context.paused.has(null) && !isOver(line)) parts.push("paused");
    if (line.status === "in_processing" || lag !== null && !isOver(line)) parts.push(
        lag === null ? "nothing read yet" : lag < 1 ? "in step" : `${duration(lag)} behind`);
    return parts.join(", ");
}

function lineage(shards, context, prefix = "") {
    const { width, table } = context;
    const { nodes, byClock, end } = descent(shards);
    const all = [...nodes.values()];
    for (const node of all) {
        node.parentNode = node.parent === null ? null : nodes.get(node.parent);
        node.interest = interest(node, context.lost);
    }
    const names = shortNames(shards);

    // Done generations are folded, as far as nothing in them needs a look.
    const narrow = width < 560;
    const labelWidth = narrow ? 108 : 184;
    const room = width - labelWidth;
    const starts = [...new Set(all.map((node) => node.from))].sort((a, b) => a - b);
    const fits = Math.max(4, Math.floor(room / (narrow ? 26 : 34)));
    const wanted = state.filter === null ? null : (node) => node.line.status === state.filter;
    const needed = all.filter((node) => node.interest > 0 || !isOver(node.line) && node.interest > 0).map(
        (node) => node.from);
    const first = state.more.generations || starts.length <= fits ? -Infinity
        : Math.min(starts[starts.length - fits], ...needed);
    const shown = all.filter((node) => (node.to ?? end) > first || node.to === null);
    const shownSet = new Set(shown);
    const folded = all.length - shown.length;

    let rows = lanes(shown);
    for (const lane of rows) {
        lane.interest = Math.max(...lane.nodes.map((node) => node.interest));
        lane.newest = Math.max(...lane.nodes.map((node) => node.from));
        lane.fits = !wanted || lane.nodes.some(wanted);
    }
    rows = rows.filter((lane) => lane.fits);
    const limit = state.more.lanes;
    let hidden = [];
    if (rows.length > limit + 2) {
        const chosenLane = rows.find(
            (lane) => lane.nodes.some((node) => node.line.shard === state.chosen.shard
            && table === state.chosen.table));
        // Where all is well, what split or rolled over last.
        const kept = new Set(
            [...rows].sort((a, b) => b.interest - a.interest || b.newest - a.newest).slice(0, limit));
        if (chosenLane) kept.add(chosenLane);
        hidden = rows.filter((lane) => !kept.has(lane));
        rows = rows.filter((lane) => kept.has(lane)).sort((a, b) => b.interest - a.interest);
    }

    const rowHeight = rows.length > 24 ? 22 : 26;
    const barHeight = 16;
    const top = 22;
    const height = top + rows.length * rowHeight + 4;
    const scale = new Scale(shown.map((node) => Math.max(node.from, first)), end, byClock);
    const left = folded ? 22 : 2;
    const x = (time) => left + scale.at(Math.max(time, first)) * (room - left - 12);
    rows.forEach((lane, index) => { lane.y = top + index * rowHeight; });

    const links = [];
    const bars = [];
    const labels = [];
    const visibleShards = rows.flatMap((lane) => lane.nodes);
    const focus = visibleShards.some((node) => node.line.shard === state.lane) ? state.lane
        : visibleShards.at(-1)?.line.shard;
    for (const lane of rows) {
        for (const node of lane.nodes) {
            const { line } = node;
            const from = x(node.from) + (node.parentNode ? 1.5 : 0);
            const to = Math.max(from + 2, x(node.to ?? end) - 1.5);
            const y = lane.y + (rowHeight - barHeight) / 2;
            const lag = line.lag_seconds ?? 0;
            const reachedAt = byClock ? Math.max(node.from, now() - lag * 1000) : null;
            const reached = line.status !== "in_processing" ? 0 : lag <= BEHIND ? 1 : byClock
                ? (x(reachedAt) - from) / (to - from) : Math.max(0.1, 1 - Math.log10(lag) / 5);
            const isPaused = context.paused.has(line.shard) || context.paused.has(null) && !isOver(line);
            const said = statusWords(line, context);
            const descends = node.parentNode ? `, child of ${names.get(node.parent)}` : "";
            const words = `Shard ${names.get(line.shard)}: ${said}${descends}`;
            const place = line.sequence_number ? `at ${line.sequence_number}` : "at its start";
            bars.push(s("a", {
                href: link(table, line.shard), "data-key": prefix + line.shard, "data-lane": line.shard,
                    "aria-label": plain(words),
                "aria-current": line.shard === state.chosen.shard ? "true" : null,
                    tabindex: line.shard === focus ? 0 : -1,
            },
                s("title", null, plain(`${line.shard}\n${said}\n${place}`)),
                barShapes({ status: line.status, x: from, y, width: to - from, height: barHeight,
                    reached: Math.min(1, Math.max(0, reached)), isPaused, isHurt: context.lost.has(line.shard),
                    isChosen: line.shard === state.chosen.shard })));
            const up = node.parentNode?.lane;
            if (up && up !== lane && up.y !== undefined && rows.includes(up)) {
                const px = x(node.from) - 0.5;
                links.push(s("path", { class: "link", d: up.y < lane.y
                    ? `M${px - 5} ${up.y + (rowHeight + barHeight) / 2}V${y + barHeight / 2 - 5}q0 5 5 5h2`
                    : `M${px - 5} ${up.y + (rowHeight - barHeight) / 2}V${y + barHeight / 2 + 5}q0-5 5-5h2` }));
            }
        }
        const leaf = lane.nodes.at(-1).line;
        const lag = leaf.lag_seconds;
        const isBad = context.lost.has(leaf.shard);
        const tail =
            isBad ? ["bad", narrow ? "lost" : "lost records"]
            : context.paused.has(leaf.shard) || context.paused.has(null) ? ["warn", "paused"]
            : leaf.status !== "in_processing"
                ? ["of", narrow ? STATUSES[leaf.status] ? { waiting_for_parent: "waits",
                not_processed: "not begun" }[leaf.status] ?? leaf.status : leaf.status : leaf.status]
            : lag === null ? ["of", "nothing yet"]
            : lag <= 1 ? ["of", "in step"]
            : [lag > BEHIND ? "warn" : "of", narrow ? roughly(lag) : `${roughly(lag)} behind`];
        const label = names.get(leaf.shard);
        labels.push(s("text", { class: "label", x: room + 2, y: lane.y + rowHeight / 2 + 4, "aria-hidden": "true" },
            narrow && label.length > 6 ? `…${label.slice(-4)}` : label, " ",
                s("tspan", { class: tail[0], dx: 4 }, plain(tail[1]))));
    }

    // The clock, where there is room for it.
    const ticks = [];
    let free = left - 1;
    let said = null;
    const times = byClock ? scale.times : [];
    for (const time of times) {
        const at = left + scale.at(time) * (room - left - 12);
        const told = clock(time, scale.end - scale.times[0] < 2 * HOUR);
        if (at < free || at > room - (told.length > 6 ? 104 : 76) || told === said) continue;
        [free, said] = [at + (narrow ? 84 : 96), told];
        ticks.push(s("line", { class: "tick", x1: at, x2: at, y1: 16, y2: height }),
            s("text", { class: "axis", x: at + 3, y: 11 }, told));
    }
    ticks.push(s("line", { class: "tick", x1: room - 12, x2: room - 12, y1: 16, y2: height }),
        s("text", { class: "axis", x: room - 12, y: 11, "text-anchor": "end" }, "now"));
    if (!byClock) ticks.push(s("text", { class: "axis", x: left, y: 11 }, "earlier"));

    const rest = hidden.length ? restWords(hidden) : null;
    return h("div", { "data-key": `${prefix}lineage` },
        rows.length > 0
            ? s("svg", { class: "lineage", role: "group", "aria-labelledby": "lineage-title", width, height,
                viewBox: `0 0 ${width} ${height}` },
                ticks, links, bars,
                folded > 0 && rows.map((lane) => lane.nodes[0].from < first || lane.nodes[0].parentNode
                    && !shownSet.has(lane.nodes[0].parentNode)
                    ? s("path", { class: "tear", d: tear(x(Math.max(lane.nodes[0].from, first)), lane.y, rowHeight) })
                    : null),
                labels)
            : h("p", { class: "note" }, `No shard here is ${plain(state.filter)}.`),
        h("p", { class: "small soft note" }, [
            byClock ? "Time runs to the right, wider where shards began close together. "
                : "In the order of the stream, not to scale. ",
            "A bar is a shard, filled as far as it is read; the arrow keys go from one to the next."]),
        rest && h("p", { class: "rest small" }, rest, " ",
            h("button", { type: "button", "data-more": "lanes", "data-by": 40 },
            `Show ${count(Math.min(40, hidden.length))} more`)),
        (folded > 0 || state.more.generations) && starts.length > fits && h("p", { class: "rest small" },
            folded > 0 ? `${counted(folded, "older shard")} to the left, each read to its end. ` : "",
            h("button", { type: "button", "data-toggle": "generations" },
                folded > 0 ? "Show all generations" : "Fold older generations")));
}

/// Where older generations were left out.
function tear(x, y, height) {
    let d = `M${x - 4} ${y}`;
    for (let at = 0; at < height; at += 4) d += `L${x + (at / 4) % 2 * 4} ${y + at}`;
    return `${d}L${x - 4} ${y + height}Z`;
}

function restWords(hidden) {
    const leaves = hidden.map((lane) => lane.nodes.at(-1).line);
    const numbers = new Map();
    for (const leaf of leaves) {
        const word = leaf.status === "in_processing" ? (leaf.lag_seconds ?? 0) > BEHIND ? "behind" : "in step"
            : leaf.status;
        numbers.set(word, (numbers.get(word) ?? 0) + 1);
    }
    const parts = [...numbers].map(([word, number]) => `${count(number)} ${plain(word)}`);
    return `And ${count(hidden.length)} more lines of shards: ${parts.join(", ")}.`;
}

/// The same for whoever would rather read, search or be read to.
function shardTable(lines, context) {
    const sought = state.sought.trim().toLowerCase();
    const score = (line) => interest({ line }, context.lost);
    const found = lines
        .filter((line) => (!sought || line.shard.toLowerCase().includes(sought))
            && (state.filter === null || line.status === state.filter))
        .sort((a, b) => score(b) - score(a) || isOver(a) - isOver(b)
            || compareNumbers(b.starting_sequence_number, a.starting_sequence_number));
    const shown = found.slice(0, state.more.shards);
    const left = found.length - shown.length;
    const names = shortNames(lines);
    return h("details", { "data-key": "shards", open: lines.length <= 12 && state.chosen.shard === null },
        h("summary", null, "Shards as a list"),
        h("div", null,
            lines.length > 12 && h("p", null, h("label", { for: "sought", class: "small soft" }, "Part of an id"),
                h("br"), h("input", { id: "sought", type: "search", autocomplete: "off", spellcheck: "false" })),
            h("table", { class: "grid cards of-shards", role: "table" },
                h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
                    ["Shard", "Status", "Place", "Lag", "Parent"].map(
                        (text) => h("th", { role: "columnheader", scope: "col",
                        class: text === "Lag" ? "number" : null }, text)))),
                h("tbody", { role: "rowgroup" }, shown.map((line) =>
                    h("tr", { role: "row", "data-key": `${line.stream} ${line.shard}`,
                        "aria-current": line.shard === state.chosen.shard ? "true" : null },
                        h("td", { role: "cell" },
                            h("a", { href: link(context.table, line.shard), class: "mono", title: line.shard },
                            name(names.get(line.shard)))),
                        h("td", { role: "cell", "data-name": "Status" },
                            plain(statusWords({ ...line, lag_seconds: line.status === "in_processing" ? line.lag_seconds
                            : null }, context).split(", ").slice(
                            0, line.status === "in_processing" ? -1 : undefined).join(", "))),
                        h("td", { role: "cell", "data-name": "Place" }, sequence(line.sequence_number)),
                        h("td", { role: "cell", class: "number", "data-name": "Lag" }, duration(line.lag_seconds)),
                        h("td", { role: "cell", "data-name": "Parent" },
                            line.parent ? h("span", { class: "mono", title: line.parent },
                            plain(names.get(line.parent) ?? `…${line.parent.slice(-12)}`)) : "none"))))),
            found.length === 0 && h("p", { class: "note" }, "No shard is such."),
            found.length > shown.length && h("div", { class: "tools" },
                h("button", { type: "button", "data-more": "shards", "data-by": 50 },
                    `Show ${count(Math.min(50, left))} of ${count(left)} more`))));
}

// --- One shard ---

function drawShard() {
    const { table, shard } = state.chosen;
    if (shard === null) return show("shard");
    const history = historyOf(table, shard);
    const line = state.shards.get(table)?.byID.get(shard);
    const checkpoint = history.state;
    const events = [...history.events.values()].sort((a, b) => a.position - b.position);
    const id = shardName(table, shard);
    const width = document.getElementById("main").clientWidth;
    show("shard",
        h("div", { class: "title" },
            h("h2", { id: "shard-title", tabindex: "-1" }, "Shard ", name(shard, { class: "mono" })),
            h("a", { href: link(table), class: "small" }, "Close")),
        history.problem && h("p", { class: "note" }, `Its history can't be shown: ${plain(history.problem)}`),
        checkpoint && h("dl", { class: "facts" },
            bigFact("Status", plain(checkpoint.status)),
            bigFact("Place", [{ AT_SEQUENCE_NUMBER: "at " }[checkpoint.iterator_type] ?? "",
                sequence(checkpoint.sequence_number, checkpoint.iterator_type === "LATEST" ? "the newest"
                : "the start")]),
            bigFact("Lag", duration(line?.lag_seconds)),
            bigFact("Epoch", [count(checkpoint.epoch), " ",
                h("span", { class: "small soft" }, checkpoint.epoch ? `rewound ${counted(checkpoint.epoch, "time")}`
                : "never rewound")]),
            bigFact("Changed", moment(checkpoint.updated)),
            checkpoint.parent && bigFact(
                "Parent", h("a", { href: link(table, checkpoint.parent), class: "mono", title: checkpoint.parent },
                plain(`…${checkpoint.parent.slice(-8)}`)))),
        shardSteps(table, shard, id, checkpoint, events),
        h("div", { class: "sub-head" }, h("h3", { id: "history-title" }, "History"),
            h("p", { class: "small soft" }, history.isAsking ? "Asking"
                : [counted(events.length, "event"), history.hasAll ? ", all of them" : ", the newest and what is notable"])),
        events.length > 0 && track(events, width),
        eventList(events, table, shard, id),
        !history.hasAll && history.limit < MOST && !history.isAsking && events.length > 0
            && h("div", { class: "tools" },
            h("button", { type: "button", "data-older": "" }, "Load older events")));
}

function shardSteps(table, shard, id, checkpoint, events) {
    if (!checkpoint) return null;
    const all = [];
    const loss = checkpoint.loss;
    if (loss && (stops(loss) || !loss.acknowledged)) {
        all.push(step("See where records were lost, and what came before",
            command("history", [id], "--reverse", "--limit", "20")));
        if (stops(loss)) {
            all.push(step("Scan the table again, which brings what the lost changes led to (needs --mode all)",
                command("ack", [table], "--resync")));
            all.push(step("Or go on without what is lost", command("ack", [table], "--skip")));
        } else {
            all.push(step("Take note of the loss", command("ack", [table])));
        }
    }
    if (checkpoint.dead_letters?.length) {
        all.push(step("See a record that the target could not hold",
            command("dead-letters", ["show", String(checkpoint.dead_letters[0])])));
        all.push(step("Deliver it again, once the cause is mended",
            command("dead-letters", ["retry", ...checkpoint.dead_letters.slice(0, 20).map(String)])));
    }
    const advances = events.filter((event) => event.event === "sequence_advanced");
    const before = advances.at(-2);
    if (before && checkpoint.status !== "not_needed") {
        all.push(step("If the last batch went wrong: see what it would take to deliver it again (each batch below has its own)",
            command("rewind", [id, before.sequence_number], "--dry-run")));
    }
    const last = events.findLast((event) => event.event === "rewound");
    if (last && last.cascade_root === null
        && !events.some((event) => event.position > last.position && event.event === "sequence_advanced")) {
        all.push(step("The rewind’s replay has not begun. To undo it",
            command("rewind", [id], "--to-position", String(last.position - 1))));
    }
    if (!all.length) all.push(step("See it in a terminal", command("history", [id], "--reverse", "--limit", "20")));
    return steps(all);
}

/// How far the shard was over time: up as records become durable, down by a rewind.
function track(events, width) {
    const narrow = width < 560;
    const [left, right, top, bottom] = [4, 8, 30, 22];
    const height = narrow ? 190 : 220;
    const times = events.map((event) => Date.parse(event.time));
    const scale = new Scale(times, now(), true);
    const x = (time) => left + scale.at(time) * (width - left - right);

    // Places by the records up to them. A rewind goes to one that was passed, or below all that is known.
    const passed = [{ number: null, records: 0 }];
    const recordsAt = (number) => {
        let at = 0;
        for (const place of passed) if (number !== null && compareNumbers(place.number, number) <= 0) at = Math.max(
            at, place.records);
        return at;
    };
    let records = 0;
    let most = 0;
    const points = [];
    events.forEach((event, index) => {
        const time = times[index];
        const isBroken = index > 0 && event.revision !== null && events[index - 1].revision !== null
            && event.revision !== events[index - 1].revision + 1;
        points.push({ time, records, kind: isBroken ? "unread" : "way", event: null });
        if (["sequence_advanced", "advances_folded"].includes(event.event)) {
            records += event.records;
            passed.push({ number: event.sequence_number, records });
            points.push({ time, records, kind: "way", event });
        } else if (event.event === "history_folded") {
            records = event.records;
            passed.push({ number: event.sequence_number, records });
            points.push({ time, records, kind: "way", event });
        } else if (event.event === "rewound") {
            records = recordsAt(event.to_sequence_number);
            points.push({ time, records, kind: "back", event });
        }
        most = Math.max(most, records);
    });
    points.push({ time: scale.end, records, kind: "way", event: null });
    const y = (value) => height - bottom - (value / Math.max(1, most)) * (height - top - bottom - 8);

    const strokes = [];
    for (let index = 1; index < points.length; index++) {
        const [from, to] = [points[index - 1], points[index]];
        const last = strokes.at(-1);
        const place = `L${x(to.time).toFixed(1)} ${y(to.records).toFixed(1)}`;
        if (last && last.kind === to.kind) last.d += place;
        else strokes.push({ kind: to.kind, d: `M${x(from.time).toFixed(1)} ${y(from.records).toFixed(1)}${place}` });
    }
    const under = `M${x(points[0].time).toFixed(1)} ${height - bottom}` + points.map(
        (point) => `L${x(point.time).toFixed(1)} ${y(point.records).toFixed(1)}`).join("") + `V${height - bottom}Z`;

    const marks = [];
    events.forEach((event, index) => {
        const mark = MARKS[event.event];
        if (!mark) return;
        const at = x(times[index]);
        const near = marks.at(-1);
        if (near && near.mark === mark && at - near.at < 18) {
            near.number += 1;
            near.event = event;
        } else marks.push({ mark, at: Math.max(at, near ? near.at + 17 : 0), origin: at, number: 1, event });
    });
    // The last one may not stand outside.
    for (let index = marks.length - 1, most = width - 10; index >= 0; index--, most -= 17) marks[index].at = Math.max(
        9, Math.min(marks[index].at, most));

    const lostBands = events.map((event, index) => event.event === "range_lost" ? x(times[index]) : null).filter(
        (at) => at !== null);
    const ticks = [];
    let free = 0;
    for (const time of scale.times) {
        const at = x(time);
        if (at < free || at > width - 90) continue;
        free = at + (narrow ? 92 : 120);
        ticks.push(s("line", { class: "tick", x1: at, x2: at, y1: height - bottom, y2: height - bottom + 5 }),
            s("text", { x: at + 3, y: height - 6 }, clock(time)));
    }
    const kinds = [...new Set(marks.map(({ mark }) => mark))];
    const heard = marks.map(({ mark, number, event }) =>
        `${number > 1 ? `${number} ` : ""}${MARK_WORDS[mark]} at ${clock(Date.parse(event.time))}`).join("; ");
    return h("figure", { class: "history", "data-key": "track" },
        s("svg", { role: "group", "aria-label": `How far the shard was over time. ${heard || "Nothing but advances"}`,
            width, height, viewBox: `0 0 ${width} ${height}` },
            s("path", { class: "under", d: under }),
            lostBands.map((at) => s("g", null,
                s("rect", { class: "gap", x: at - 6, y: top - 2, width: 12, height: height - top - bottom + 2 }),
                s("path", { class: "hatch", d: hatch(at - 6, top - 2, 12, height - top - bottom + 2) }))),
            s("line", { class: "tick", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }),
            marks.map(({ mark, at, origin }) => mark === "lost" ? null
                : s("path", { class: "stem", d: `M${at} 22L${origin} ${top}V${height - bottom}`, fill: "none" })),
            strokes.map(({ kind, d }) =>
                s("path", { class: kind === "way" ? "way" : kind === "back" ? "back" : "way unread", d })),
            marks.map(({ mark, at, number, event }, index) => {
                const said = words(event);
                const many = number > 1 ? `${number} times, the last: ` : "";
                return s("a", { href: "#", "data-event": event.position, "data-key": `mark-${event.position}`,
                    class: `mark ${mark}`, transform: `translate(${at.toFixed(1)} 13)`,
                    "aria-label": plain(`${many}${said.title} at ${clock(Date.parse(event.time))}. ${textOf(said.said)}`) },
                    s("title", null, plain(`${said.title}\n${textOf(said.said)}`)),
                    s("circle", { class: "edge", r: 10 }), MARK_FORMS[mark](),
                    number > 1 && s("text", { x: 9, y: 4 }, `×${number}`),
                    number === 1 && (marks[index + 1]?.at ?? width) - at > 100
                        && s("text", { class: "mark-word", x: 11, y: 4 }, MARK_WORDS[mark].split(",")[0]));
            }),
            ticks,
            s("text", { x: width - right, y: height - 6, "text-anchor": "end" }, "now"),
            s("text", { x: left + 2, y: top + 4 }, most ? `${counted(most, "record")}` : "no record yet")),
        kinds.length > 0 && h("ul", { class: "legend" },
            kinds.map((mark) => h("li", null, markSign(mark), MARK_WORDS[mark])),
            strokes.some(({ kind }) => kind === "back") && h(
                "li", null, s("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" },
                s("path", { class: "back", d: "M7 1v12" })), "the place goes back")));
}

const textOf = (said) => h("span", null, said).textContent;

/// Newest first; advances in a row are one line that can be opened.
function eventList(events, table, shard, id) {
    const groups = [];
    for (const event of [...events].reverse()) {
        const last = groups.at(-1);
        const goesOn = last && last.at(-1).revision === event.revision + 1;
        if (goesOn && event.event === "sequence_advanced" && last[0].event === "sequence_advanced") last.push(event);
        else if (goesOn && isTaking(last) && event.event === TAKING[last.length]) last.push(event);
        else groups.push([event]);
    }
    const before = new Map(); // the place before each advance
    let place = null;
    for (const event of events) {
        if (event.event === "sequence_advanced") before.set(event.position, place);
        if (event.event === "rewound") place = event.to_sequence_number;
        else if (event.sequence_number) place = event.sequence_number;
    }
    const shown = groups.slice(0, state.more.events);
    return [
        h("ol", { class: "events", reversed: true }, shown.map((group) => eventItem(group, before, id))),
        groups.length > shown.length && h("div", { class: "tools" },
            h("button", { type: "button", "data-more": "events", "data-by": 100 },
            `Show ${count(groups.length - shown.length)} more`)),
    ];
}

/// The three events with which a reader takes a shard up, the newest first.
const TAKING = ["status_changed", "iterator_resolved", "queried"];
const isTaking = (group) => group[0].event === TAKING[0] && group[0].to === "in_processing"
    && group.length < TAKING.length;

function takingWords([changed, resolved, queried]) {
    return [`by rule ${plain(resolved.rule)}: ${plain(resolved.iterator_type)}`,
        resolved.sequence_number ? [" ", sequence(resolved.sequence_number)] : "",
        `; it was ${changed.from}, revision ${queried.seen_revision}; by ${plain(queried.worker)}`];
}

function again(event, before, id) {
    const place = before.get(event.position);
    return step("Deliver this batch, and what came after it, again",
        place ? command("rewind", [id, place], "--dry-run") : command(
            "rewind", [id], "--to-position", String(event.position - 1), "--dry-run"));
}

function eventItem(group, before, id) {
    const [event] = group;
    const isTaken = group.length === TAKING.length && event.event === TAKING[0];
    const { title, said, mark } = isTaken ? { title: "Taken up", said: takingWords(group), mark: null } : words(event);
    const isRun = group.length > 1 && event.event === "sequence_advanced";
    const records = group.reduce((all, one) => all + (one.records ?? 0), 0);
    const key = isRun ? `run-${group.at(-1).position}` : `event-${event.position}`;
    const look = ["named", mark && mark !== "other" ? "loud" : "plain",
        group.some((one) => one.position === state.pointed) && "pointed"];
    return h("li", { class: look.filter(Boolean).join(" "), "data-key": key, tabindex: "-1" },
        moment(event.time),
        mark ? markSign(mark) : h("span", { class: "sign" }),
        h("div", { class: "what" },
            h("p", { class: "head" }, isRun ? `Advanced ${count(group.length)} times` : title, " ",
                h("span", { class: "kind" }, isTaken ? "queried, iterator_resolved, status_changed"
                : plain(event.event))),
            h("p", { class: "says" },
                isRun ? ["to ", sequence(event.sequence_number),
                `: ${counted(records, "record")} since ${clock(Date.parse(group.at(-1).time))}`] : said),
            event.event === "sequence_advanced" && h("details", { "data-key": `${key}-more`, "data-late": true },
                h("summary", null, isRun ? "Each of them" : "Deliver it again"),
                !state.unfolded.has(`${key}-more`) ? null
                : isRun
                    ? h("ol", { class: "batches" },
                        group.slice(0, 50).map((one) => h("li", { "data-key": one.position },
                        h("p", null, moment(one.time), " to ", sequence(one.sequence_number),
                            `: ${counted(one.records, "record")}, ${size(one.bytes)}`),
                        h("div", { class: "steps" }, again(one, before, id)))),
                        group.length > 50 && h("li", null, `And ${count(group.length - 50)} older ones: `,
                            h("code", null, command("history", [id], "--event", "sequence_advanced"))))
                    : h("div", { class: "steps" }, again(event, before, id))),
            h("p", { class: "unseen" }, `Position ${event.position}, revision ${event.revision ?? "none"}`)));
}

// --- What happened lately ---

function drawLately() {
    if (!state.feed.length) return show("lately");
    const shown = state.feed.slice(0, state.more.feed);
    show("lately",
        h("h2", { id: "lately-title" }, "Since this page was opened"),
        h("ol", { class: "events", reversed: true }, shown.map((event) => {
            const { title, said, mark } = words(event);
            const about = event.table === null ? null : h("a",
                { href: link(event.table, event.shard), title: event.shard ?? event.table }, name(event.table),
                event.shard ? name(` …${event.shard.slice(-8)}`) : null);
            return h("li", { class: mark && mark !== "other" ? "loud" : "plain", "data-key": event.position },
                moment(event.time), mark ? markSign(mark) : h("span", { class: "sign" }),
                h("div", { class: "what" }, h("p", { class: "head" }, title, about && " · ", about),
                    h("p", { class: "says" }, said)));
        })),
        state.feed.length > shown.length && h("div", { class: "tools" },
            h("button", { type: "button", "data-more": "feed", "data-by": 50 },
            `Show ${count(state.feed.length - shown.length)} more`)));
}

// --- Drawing, and what the reader does ---

let drawing = null;

/// Many events, one drawing; none where nobody looks.
function soon() {
    if (drawing !== null || document.hidden) return;
    drawing = setTimeout(draw, 300);
}

function draw() {
    clearTimeout(drawing);
    drawing = null;
    const focused = document.activeElement?.getAttribute("data-key");
    drawLive();
    drawVerdict();
    drawTables();
    drawTable();
    drawShard();
    drawLately();
    if (focused && document.activeElement === document.body) document.querySelector(
        `[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function follow() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const before = state.chosen;
    state.chosen = { table: asked.get("table"), shard: asked.get("shard") };
    if (state.chosen.table === null) state.chosen.shard = null;
    if (before.table !== state.chosen.table) Object.assign(state, { filter: null, sought: "" });
    if (before.shard !== state.chosen.shard) Object.assign(state.more, { events: 60 });
    state.pointed = null;
    const { table, shard } = chosen();
    if (table !== null) {
        askShards(table);
        askGraph(table);
    }
    if (shard !== null) {
        state.lane = shard;
        openHistory(table, shard);
    }
    draw();
}

function arrive() {
    follow();
    const heading = document.getElementById(state.chosen.shard !== null ? "shard-title" : "table-title");
    if (heading && location.hash) {
        heading.focus({ preventScroll: true });
        heading.scrollIntoView({ block: "start" });
    }
}

function clicked(event) {
    if (event.target.closest(".skip")) {
        // The address stays that of what is looked at.
        event.preventDefault();
        return document.getElementById("main").focus();
    }
    const button = event.target.closest("button, a[data-event]");
    if (!button) return;
    const { dataset } = button;
    if (dataset.copy !== undefined) return copy(dataset.copy);
    if (dataset.event !== undefined) {
        event.preventDefault();
        return point(Number(dataset.event));
    }
    if (dataset.more !== undefined) state.more[dataset.more] += Number(dataset.by);
    else if (dataset.toggle !== undefined) state.more[dataset.toggle] = !state.more[dataset.toggle];
    else if (dataset.filter !== undefined) state.filter = state.filter === dataset.filter ? null : dataset.filter;
    else if (dataset.older !== undefined) {
        const { table, shard } = state.chosen;
        openHistory(table, shard, Math.min(MOST, historyOf(table, shard).limit * 4));
    } else return;
    draw();
}

/// From the graph to the line that tells of it.
function point(position) {
    state.pointed = position;
    state.more.events = Math.max(state.more.events, 100_000);
    draw();
    const item = document.querySelector(".events .pointed");
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: "center" });
}

/// In the lineage: left and right along a line of descent, up and down between lines.
function pressed(event) {
    const bar = event.target.closest?.("a[data-lane]");
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!bar || !direction || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [dx, dy] = direction;
    const own = bar.querySelector(".body").getBoundingClientRect();
    let best = null;
    for (const other of bar.closest("svg").querySelectorAll("a[data-lane]")) {
        if (other === bar) continue;
        const box = other.querySelector(".body").getBoundingClientRect();
        const [right, down] = [box.left - own.left, box.top - own.top];
        const isSameLane = Math.abs(down) < 2;
        if (dx ? !isSameLane || Math.sign(right) !== dx : Math.abs(down) < 2 || Math.sign(down) !== dy) continue;
        // Between lines to the bar that is above or below, of the nearest line.
        const aside = Math.max(0, Math.max(box.left, own.left) - Math.min(box.right, own.right));
        const cost = dx ? Math.abs(right) : Math.abs(down) * 1000 + aside;
        if (!best || cost < best.cost) best = { cost, other };
    }
    if (!best) return;
    bar.setAttribute("tabindex", "-1");
    best.other.setAttribute("tabindex", "0");
    state.lane = best.other.dataset.lane;
    best.other.focus();
}

document.addEventListener("click", clicked);
document.addEventListener("keydown", pressed);
document.addEventListener("input", (event) => {
    if (event.target.id !== "sought") return;
    state.sought = event.target.value;
    state.more.shards = 25;
    soon();
});
document.addEventListener("toggle", ({ target }) => {
    if (target.dataset?.late === undefined) return;
    if (target.open) state.unfolded.add(target.dataset.key);
    else state.unfolded.delete(target.dataset.key);
    draw();
}, true);
document.addEventListener("visibilitychange", () => { if (!document.hidden) draw(); });
window.addEventListener("hashchange", arrive);
window.addEventListener("resize", soon);
// What is said of ages goes on by itself; and a stream that is silent is none, whatever the connection says.
setInterval(() => {
    if (state.isLive && Date.now() - Math.max(state.heard, state.opened) > QUIET) {
        loseLive();
    }
    soon();
}, 5000);

follow();
askStatus().then(follow).catch(() => {});
listen();
