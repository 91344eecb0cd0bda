#include "CSimdjson.h"

// Its checks of how the API is used would cost two thirds of the speed; the tests run over every member order.
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

namespace ondemand = simdjson::ondemand;

static_assert(CSJ_PADDING >= simdjson::SIMDJSON_PADDING, "the header promises too little room");

struct csj_parser {
    ondemand::parser simdjson;
    std::vector<uint8_t> copy;  // of a body that has too little room behind it
    std::vector<csj_record> records;
    std::vector<csj_range> items;
};

namespace {

/// Thrown within this file only, by `check`, and turned into a status before anything returns to C.
struct Failure {
    csj_problem problem;
    const char *detail = nullptr;
};

inline void check(simdjson::error_code error) {
    if (__builtin_expect(error != simdjson::SUCCESS, 0)) {
        throw Failure{error == simdjson::MEMALLOC ? CSJ_NO_MEMORY : CSJ_MALFORMED, simdjson::error_message(error)};
    }
}

/// The member's name as it lies in the body, between the quotes. simdjson knows where it begins, not where it ends.
inline std::string_view raw_text(ondemand::raw_json_string string, const uint8_t *end) {
    auto start = reinterpret_cast<const uint8_t *>(string.raw());
    auto at = start;
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    return {reinterpret_cast<const char *>(start), static_cast<size_t>((at < end ? at : end) - start)};
}

/// One body, and where we are in it.
class Document {
public:
    Document(csj_parser &parser, const uint8_t *body, size_t count, size_t available) : start(body), end(body + count) {
        if (count >= CSJ_ABSENT) throw Failure{CSJ_TOO_LARGE};
        if (available < count + CSJ_PADDING) {
            parser.copy.resize(count + CSJ_PADDING);
            if (count > 0) std::memcpy(parser.copy.data(), body, count);
            std::memset(parser.copy.data() + count, 0, CSJ_PADDING);
            start = parser.copy.data();
            end = start + count;
            available = parser.copy.size();
        }
        check(parser.simdjson.iterate(start, count, available).get(document));
        check(document.get_object().get(root));
    }

    ondemand::object root;

    /// Nothing may follow the root: `{} {}` is not one reply.
    void finish() {
        const char *rest;
        if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) {
            throw Failure{CSJ_MALFORMED, "something follows the end of the JSON object"};
        }
    }

    /// The member's name, unescaped. It lives as long as the document.
    std::string_view name(ondemand::field &field) {
        auto raw = raw_text(field.key(), end);
        if (__builtin_expect(raw.find('\\') == raw.npos, 1)) return raw;
        std::string_view unescaped;
        check(field.unescaped_key().get(unescaped));
        return unescaped;
    }

    std::string_view raw(ondemand::value &value) {
        ondemand::raw_json_string string;
        check(value.get_raw_json_string().get(string));
        return raw_text(string, end);
    }

    csj_range range(std::string_view text) const {
        auto offset = reinterpret_cast<const uint8_t *>(text.data()) - start;
        return {static_cast<uint32_t>(offset), static_cast<uint32_t>(text.size())};
    }

    /// The bytes of an object from brace to brace; absent for null and for `{}`, which is neither an item nor a key.
    csj_range object(ondemand::value &value) {
        bool null;
        check(value.is_null().get(null));
        if (null) return {CSJ_ABSENT, 0};
        ondemand::object object;
        check(value.get_object().get(object));
        std::string_view text;
        check(object.raw_json().get(text));  // up to the next token, so white space may be at its end
        while (!text.empty() && text.back() != '}') text.remove_suffix(1);
        for (char c : text.substr(1)) {
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
            if (c == '}') return {CSJ_ABSENT, 0};
            break;
        }
        return range(text);
    }

private:
    const uint8_t *start;
    const uint8_t *end;
    ondemand::document document;
};

/// Runs `body` and says what came of it. No exception leaves.
template <typename Body> csj_status guarded(uint32_t &element, Body body) noexcept {
    try {
        body();
        return {CSJ_OK, 0, nullptr};
    } catch (const Failure &failure) {
        return {failure.problem, element, failure.detail};
    } catch (const std::bad_alloc &) {
        return {CSJ_NO_MEMORY, element, nullptr};
    } catch (...) {
        return {CSJ_MALFORMED, element, nullptr};
    }
}

constexpr csj_range absent{CSJ_ABSENT, 0};

void read_stream_record(Document &document, ondemand::value &value, csj_record &record) {
    bool null;
    check(value.is_null().get(null));
    if (null) return;
    ondemand::object object;
    check(value.get_object().get(object));
    for (auto result : object) {
        ondemand::field field;
        check(std::move(result).get(field));
        auto name = document.name(field);
        auto &member = field.value();
        if (name == "SequenceNumber") {
            bool null;
            check(member.is_null().get(null));
            if (!null) record.sequence_number = document.range(document.raw(member));
        } else if (name == "Keys") {
            record.keys = document.object(member);
        } else if (name == "NewImage") {
            record.new_image = document.object(member);
        } else if (name == "OldImage") {
            record.old_image = document.object(member);
        } else if (name == "ApproximateCreationDateTime") {
            bool null;
            check(member.is_null().get(null));
            if (!null) check(member.get_double().get(record.approximate_time));
        }
    }
}

void read_record(Document &document, ondemand::value &value, csj_record &record) {
    record = {absent, absent, absent, absent, NAN, CSJ_INSERT};
    bool named = false;
    ondemand::object object;
    check(value.get_object().get(object));
    for (auto result : object) {
        ondemand::field field;
        check(std::move(result).get(field));
        auto name = document.name(field);
        auto &member = field.value();
        if (name == "dynamodb") {
            read_stream_record(document, member, record);
        } else if (name == "eventName") {
            bool null;
            check(member.is_null().get(null));
            if (null) continue;
            auto event = document.raw(member);
            named = true;
            if (event == "MODIFY") {
                record.event = CSJ_MODIFY;
            } else if (event == "INSERT") {
                record.event = CSJ_INSERT;
            } else if (event == "REMOVE") {
                record.event = CSJ_REMOVE;
            } else {
                throw Failure{CSJ_UNKNOWN_EVENT_NAME};
            }
        }
    }
    if (record.sequence_number.offset == CSJ_ABSENT) throw Failure{CSJ_MISSING_SEQUENCE_NUMBER};
    if (record.keys.offset == CSJ_ABSENT) throw Failure{CSJ_MISSING_KEYS};
    if (!named) throw Failure{CSJ_MISSING_EVENT_NAME};
}

/// The attribute value `value`, of which `type` must be the one member.
void read_key_value(Document &document, ondemand::value &value, char type, csj_problem wrong, csj_key_value &out) {
    ondemand::object object;
    check(value.get_object().get(object));
    std::string_view text;
    check(object.raw_json().get(text));
    while (!text.empty() && text.back() != '}') text.remove_suffix(1);
    out.raw = document.range(text);
    check(object.reset().error());
    bool found = false;
    for (auto result : object) {
        ondemand::field field;
        check(std::move(result).get(field));
        auto name = document.name(field);
        if (name.size() != 1 || name[0] != type) throw Failure{wrong};
        std::string_view unescaped;
        auto error = field.value().get_string().get(unescaped);
        if (error == simdjson::INCORRECT_TYPE) throw Failure{wrong};
        check(error);
        // An escaped half of a surrogate pair unescapes to bytes that are no UTF-8.
        if (!simdjson::validate_utf8(unescaped)) check(simdjson::UTF8_ERROR);
        out.text = reinterpret_cast<const uint8_t *>(unescaped.data());
        out.text_count = unescaped.size();
        found = true;
    }
    if (!found) throw Failure{wrong};
}

bool is_name(std::string_view name, const csj_key_attribute &attribute) {
    return name.size() == attribute.name_count && std::memcmp(name.data(), attribute.name, name.size()) == 0;
}

}  // namespace

csj_parser *csj_parser_new(void) { return new (std::nothrow) csj_parser; }

void csj_parser_free(csj_parser *parser) { delete parser; }

size_t csj_parser_capacity(const csj_parser *parser) { return parser->simdjson.capacity(); }

csj_status csj_parse_records(
    csj_parser *parser, const uint8_t *body, size_t count, size_t available, csj_records *out) {
    uint32_t element = 0;
    return guarded(element, [&] {
        Document document(*parser, body, count, available);
        parser->records.clear();
        *out = {nullptr, 0, nullptr, 0};
        bool found = false;
        for (auto result : document.root) {
            ondemand::field field;
            check(std::move(result).get(field));
            auto name = document.name(field);
            auto &value = field.value();
            if (name == "Records") {
                bool null;
                check(value.is_null().get(null));
                if (null) continue;
                ondemand::array array;
                check(value.get_array().get(array));
                found = true;
                parser->records.clear();
                element = 0;
                for (auto item : array) {
                    ondemand::value record;
                    check(std::move(item).get(record));
                    parser->records.emplace_back();
                    read_record(document, record, parser->records.back());
                    element += 1;
                }
            } else if (name == "NextShardIterator") {
                bool null;
                check(value.is_null().get(null));
                if (null) continue;
                std::string_view next;
                check(value.get_string().get(next));
                out->next = next.data();
                out->next_count = next.size();
            }
        }
        document.finish();
        if (!found && out->next == nullptr) throw Failure{CSJ_MISSING_RECORDS};
        out->records = parser->records.data();
        out->count = parser->records.size();
    });
}

csj_status csj_parse_items(csj_parser *parser, const uint8_t *body, size_t count, size_t available, csj_items *out) {
    uint32_t element = 0;
    return guarded(element, [&] {
        Document document(*parser, body, count, available);
        parser->items.clear();
        *out = {nullptr, 0, absent};
        bool found = false;
        for (auto result : document.root) {
            ondemand::field field;
            check(std::move(result).get(field));
            auto name = document.name(field);
            auto &value = field.value();
            if (name == "Items") {
                ondemand::array array;
                check(value.get_array().get(array));
                found = true;
                parser->items.clear();
                element = 0;
                for (auto result : array) {
                    ondemand::value item;
                    check(std::move(result).get(item));
                    auto range = document.object(item);
                    if (range.offset == CSJ_ABSENT) throw Failure{CSJ_MISSING_KEYS};
                    parser->items.push_back(range);
                    element += 1;
                }
            } else if (name == "LastEvaluatedKey") {
                out->last_evaluated_key = document.object(value);
            }
        }
        document.finish();
        if (!found) throw Failure{CSJ_MISSING_ITEMS};
        out->items = parser->items.data();
        out->count = parser->items.size();
    });
}

csj_status csj_read_key(
    csj_parser *parser, const uint8_t *object, size_t count, size_t available, const csj_key_attribute *hash,
    const csj_key_attribute *range, csj_key_value *out_hash, csj_key_value *out_range) {
    uint32_t element = 0;
    return guarded(element, [&] {
        Document document(*parser, object, count, available);
        bool has_hash = false;
        bool has_range = range == nullptr;
        for (auto result : document.root) {
            ondemand::field field;
            check(std::move(result).get(field));
            auto name = document.name(field);
            if (!has_hash && is_name(name, *hash)) {
                read_key_value(document, field.value(), hash->type, CSJ_HASH_KEY_TYPE, *out_hash);
                has_hash = true;
            } else if (!has_range && is_name(name, *range)) {
                read_key_value(document, field.value(), range->type, CSJ_RANGE_KEY_TYPE, *out_range);
                has_range = true;
            }
            if (has_hash && has_range) return;  // the rest of a 400 KB item needn't be walked
        }
        document.finish();
        if (!has_hash) throw Failure{CSJ_MISSING_HASH_KEY};
        throw Failure{CSJ_MISSING_RANGE_KEY};
    });
}
