// Reads key attributes with simdjson's on-demand API.
#include "Parser.hpp"

#include <cstring>

namespace ondemand = simdjson::ondemand;

static_assert(CSJ_PADDING >= simdjson::SIMDJSON_PADDING, "the header promises too little room");

namespace {

/// The string as it lies in the body, between its quotes. simdjson knows where it begins, not where it ends.
std::string_view raw_text(ondemand::raw_json_string string, const uint8_t *end) {
    auto start = reinterpret_cast<const uint8_t *>(string.raw());
    auto at = start;
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    return {reinterpret_cast<const char *>(start), static_cast<size_t>((at < end ? at : end) - start)};
}

/// One object of attribute values.
class Object {
public:
    Object(csj_parser &parser, const uint8_t *bytes, size_t count, size_t available)
        : start(bytes), end(bytes + count) {
        if (available < count + CSJ_PADDING) {
            parser.copy.resize(count + CSJ_PADDING);
            if (count > 0) std::memcpy(parser.copy.data(), bytes, count);
            std::memset(parser.copy.data() + count, 0, CSJ_PADDING);
            start = parser.copy.data();
            end = start + count;
            available = parser.copy.size();
        }
        check(parser.keys.iterate(start, count, available).get(document));
        check(document.get_object().get(members));
    }

    ondemand::object members;

    /// The member's name, unescaped.
    std::string_view name(ondemand::field &field) {
        auto raw = raw_text(field.key(), end);
        if (__builtin_expect(raw.find('\\') == raw.npos, 1)) return raw;
        std::string_view unescaped;
        check(field.unescaped_key().get(unescaped));
        return unescaped;
    }

    /// Reads `value`, of which `type` must be the one member.
    void read(ondemand::value &value, char type, csj_problem wrong, csj_key_value &out) {
        ondemand::object object;
        check(value.get_object().get(object));
        std::string_view text;
        check(object.raw_json().get(text));  // up to the next token, so white space may be at its end
        while (!text.empty() && text.back() != '}') text.remove_suffix(1);
        auto offset = reinterpret_cast<const uint8_t *>(text.data()) - start;
        out.raw = {static_cast<uint32_t>(offset), static_cast<uint32_t>(text.size())};
        check(object.reset().error());
        bool found = false;
        for (auto result : object) {
            ondemand::field field;
            check(std::move(result).get(field));
            auto name = this->name(field);
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

private:
    const uint8_t *start;
    const uint8_t *end;
    ondemand::document document;
};

bool is_name(std::string_view name, const csj_key_attribute &attribute) {
    return name.size() == attribute.name_count && std::memcmp(name.data(), attribute.name, name.size()) == 0;
}

}  // namespace

csj_status csj_read_key(
    csj_parser *parser, const uint8_t *bytes, size_t count, size_t available, const csj_key_attribute *hash,
    const csj_key_attribute *range, csj_key_value *out_hash, csj_key_value *out_range) {
    uint32_t element = 0;
    return guarded(element, [&] {
        if (count >= CSJ_ABSENT) throw Failure{CSJ_TOO_LARGE};
        Object object(*parser, bytes, count, available);
        bool has_hash = false;
        bool has_range = range == nullptr;
        for (auto result : object.members) {
            ondemand::field field;
            check(std::move(result).get(field));
            auto name = object.name(field);
            if (!has_hash && is_name(name, *hash)) {
                object.read(field.value(), hash->type, CSJ_HASH_KEY_TYPE, *out_hash);
                has_hash = true;
            } else if (!has_range && is_name(name, *range)) {
                object.read(field.value(), range->type, CSJ_RANGE_KEY_TYPE, *out_range);
                has_range = true;
            }
            if (has_hash && has_range) return;  // the rest of a 400 KB item needn't be walked
        }
        throw Failure{has_hash ? CSJ_MISSING_RANGE_KEY : CSJ_MISSING_HASH_KEY};
    });
}
