// Walks JSON over what simdjson's first stage has found.
//
// The on-demand API does the same in twice the time, and looks at nothing that it skips but the number of brackets. An
// image is passed on as it came, so it is worth knowing that it is JSON.
#ifndef SHAKE_CSIMDJSON_WALK_HPP
#define SHAKE_CSIMDJSON_WALK_HPP

#include "Parser.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

inline constexpr csj_range absent{CSJ_ABSENT, 0};

[[noreturn]] inline void malformed(const char *detail) { throw Failure{CSJ_MALFORMED, detail}; }

/// Walks a body from token to token. Reads no byte outside of it, and none of a string that nobody asks for.
class Walk {
public:
    Walk(csj_parser &parser, const uint8_t *body, size_t count) : parser(parser), body(body), count(count) {
        if (count >= CSJ_ABSENT) throw Failure{CSJ_TOO_LARGE};
        if (!parser.indexer) {
            check(simdjson::get_active_implementation()->create_dom_parser_implementation(step, 1, parser.indexer));
        }
        if (parser.indexer->capacity() < count) check(parser.indexer->allocate((count + step - 1) / step * step, 1));
        check(parser.indexer->stage1(body, count, simdjson::stage1_mode::regular));
        at = parser.indexer->structural_indexes.get();
        end = at + parser.indexer->n_structural_indexes;
    }

    /// The first byte of the next token: a bracket, colon, comma or quote, or of a number or word. 0 at the end.
    uint8_t peek() const { return at < end ? body[*at] : 0; }

    /// Goes over an object and calls `member` with each name; it must go over the value.
    template <typename Member> void object(Member member) {
        if (take() != '{') malformed("not an object");
        if (peek() == '}') {
            at++;
            return;
        }
        do {
            auto name = string();
            if (take() != ':') malformed("a member without a colon");
            member(name);
        } while (goes_on('}'));
    }

    template <typename Element> void array(Element element) {
        if (take() != '[') malformed("not an array");
        if (peek() == ']') {
            at++;
            return;
        }
        do element(); while (goes_on(']'));
    }

    /// A string between its quotes, as it came.
    std::string_view string() {
        if (take() != '"') malformed("not a string");
        auto start = at[-1] + 1;
        // The closing quote is the last byte before the next token that is no white space.
        auto last = at < end ? *at : count;
        while (last > start && body[last - 1] != '"') last--;
        if (last == start) malformed("a string that doesn't end");
        return {reinterpret_cast<const char *>(body) + start, last - 1 - start};
    }

    /// Goes over any value.
    void skip() {
        uint8_t open[depth_limit];
        size_t depth = 0;
    value:
        switch (take()) {
        case '{':
            if (peek() == '}') {
                at++;
                break;
            }
            if (depth == depth_limit) malformed("nested too deep");
            open[depth++] = '}';
            goto member;
        case '[':
            if (peek() == ']') {
                at++;
                break;
            }
            if (depth == depth_limit) malformed("nested too deep");
            open[depth++] = ']';
            goto value;
        case '"': break;
        default: scalar(at[-1]);
        }
    closed:
        if (depth == 0) return;
        switch (auto token = take()) {
        case ',':
            if (open[depth - 1] == '}') goto member;
            goto value;
        case '}':
        case ']':
            if (open[--depth] != token) malformed("a bracket that closes another kind");
            goto closed;
        default: malformed("neither a comma nor a bracket after a value");
        }
    member:
        if (take() != '"') malformed("a member without a name");
        if (take() != ':') malformed("a member without a colon");
        goto value;
    }

    /// Goes over the value if it is null.
    bool skip_null() {
        if (peek() != 'n') return false;
        skip();
        return true;
    }

    /// An object from brace to brace; absent for null and for `{}`, which is neither an item nor a key.
    csj_range range() {
        if (skip_null()) return absent;
        if (peek() != '{') malformed("not an object");
        auto start = *at;
        bool is_empty = at + 1 < end && body[at[1]] == '}';
        skip();
        return is_empty ? absent : csj_range{start, at[-1] + 1 - start};
    }

    /// Seconds; NAN for null, and for what a double can't hold.
    double number() {
        if (skip_null()) return NAN;
        if (peek() != '-' && !is_digit(peek())) malformed("not a number");
        auto start = reinterpret_cast<const char *>(body) + *at;
        skip();
        double value = NAN;
        auto result = std::from_chars(start, reinterpret_cast<const char *>(body) + count, value);
        return result.ec == std::errc() ? value : NAN;
    }

    csj_range place(std::string_view text) const {
        auto offset = reinterpret_cast<const uint8_t *>(text.data()) - body;
        return {static_cast<uint32_t>(offset), static_cast<uint32_t>(text.size())};
    }

    /// What a string with escapes stands for. Rare, so it may take its time.
    std::string unescaped(std::string_view text) {
        if (text.find('\\') == text.npos) return std::string(text);
        std::string quoted = "\"" + std::string(text) + "\"";
        simdjson::padded_string padded(quoted);
        simdjson::ondemand::document document;
        std::string_view value;
        check(parser.keys.iterate(padded).get(document));
        check(document.get_string().get(value));
        return std::string(value);
    }

    /// Nothing may follow: `{} {}` is not one reply.
    void finish() {
        if (at != end) malformed("something follows the end of the JSON object");
    }

private:
    /// As deep as simdjson's own parsers go. (An item is 32 levels deep at most.)
    static constexpr size_t depth_limit = 1024;
    /// Room for a body is made in steps, so that each page that is a little larger doesn't make it anew.
    static constexpr size_t step = 1 << 20;

    csj_parser &parser;
    const uint8_t *body;
    size_t count;
    const uint32_t *at;  // the next token's offset
    const uint32_t *end;

    uint8_t take() {
        if (at == end) malformed("cut off");
        return body[*at++];
    }

    bool goes_on(uint8_t close) {
        auto token = take();
        if (token == ',') return true;
        if (token != close) malformed("neither a comma nor a bracket after a value");
        return false;
    }

    static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

    /// Checks a number or word that begins at `start`, up to the next token (RFC 8259, 3 and 6).
    void scalar(size_t start) const {
        size_t last = at < end ? *at : count;
        while (last > start && (body[last - 1] == ' ' || (body[last - 1] >= '\t' && body[last - 1] <= '\r'))) last--;
        std::string_view text(reinterpret_cast<const char *>(body) + start, last - start);
        if (text == "true" || text == "false" || text == "null") return;
        size_t i = 0;
        auto digits = [&] {
            size_t first = i;
            while (i < text.size() && is_digit(text[i])) i++;
            if (i == first) malformed("neither a number nor true, false or null");
        };
        if (i < text.size() && text[i] == '-') i++;
        if (i < text.size() && text[i] == '0') {
            i++;
        } else {
            digits();
        }
        if (i < text.size() && text[i] == '.') {
            i++;
            digits();
        }
        if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
            i++;
            if (i < text.size() && (text[i] == '+' || text[i] == '-')) i++;
            digits();
        }
        if (i != text.size()) malformed("neither a number nor true, false or null");
    }
};

#endif
