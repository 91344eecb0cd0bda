// Finds the records of a reply in one walk.
#include "Walk.hpp"

namespace {

/// The members that are read; all others are skipped.
enum class Name {
    other, records, next, items, last_key, event, stream_record, sequence_number, keys, new_image, old_image, time,
    consumed, capacity_units, responses, unprocessed
};

Name known(std::string_view name) {
    switch (name.size()) {
    case 4: return name == "Keys" ? Name::keys : Name::other;
    case 5: return name == "Items" ? Name::items : Name::other;
    case 7: return name == "Records" ? Name::records : Name::other;
    case 8:
        return name == "NewImage" ? Name::new_image : name == "OldImage" ? Name::old_image
             : name == "dynamodb" ? Name::stream_record : Name::other;
    case 9:
        return name == "eventName" ? Name::event : name == "Responses" ? Name::responses : Name::other;
    case 13: return name == "CapacityUnits" ? Name::capacity_units : Name::other;
    case 14: return name == "SequenceNumber" ? Name::sequence_number : Name::other;
    case 15: return name == "UnprocessedKeys" ? Name::unprocessed : Name::other;
    case 16:
        return name == "LastEvaluatedKey" ? Name::last_key
             : name == "ConsumedCapacity" ? Name::consumed : Name::other;
    case 17: return name == "NextShardIterator" ? Name::next : Name::other;
    case 27: return name == "ApproximateCreationDateTime" ? Name::time : Name::other;
    default: return Name::other;
    }
}

Name known(std::string_view name, Walk &walk) {
    auto which = known(name);
    if (which != Name::other || name.find('\\') == name.npos) return which;
    return known(walk.unescaped(name));
}

void read_stream_record(Walk &walk, csj_record &record) {
    if (walk.skip_null()) return;
    walk.object([&](std::string_view name) {
        switch (known(name, walk)) {
        case Name::sequence_number:
            if (!walk.skip_null()) record.sequence_number = walk.place(walk.string());
            break;
        case Name::keys: record.keys = walk.range(); break;
        case Name::new_image: record.new_image = walk.range(); break;
        case Name::old_image: record.old_image = walk.range(); break;
        case Name::time: record.approximate_time = walk.number(); break;
        default: walk.skip();
        }
    });
}

csj_event event(std::string_view name) {
    if (name == "MODIFY") return CSJ_MODIFY;
    if (name == "INSERT") return CSJ_INSERT;
    if (name == "REMOVE") return CSJ_REMOVE;
    throw Failure{CSJ_UNKNOWN_EVENT_NAME};
}

void read_record(Walk &walk, csj_record &record) {
    record = {absent, absent, absent, absent, NAN, CSJ_INSERT};
    bool is_named = false;
    walk.object([&](std::string_view name) {
        switch (known(name, walk)) {
        case Name::stream_record: read_stream_record(walk, record); break;
        case Name::event:
            if (walk.skip_null()) break;
            record.event = event(walk.string());
            is_named = true;
            break;
        default: walk.skip();
        }
    });
    if (record.sequence_number.offset == CSJ_ABSENT) throw Failure{CSJ_MISSING_SEQUENCE_NUMBER};
    if (record.keys.offset == CSJ_ABSENT) throw Failure{CSJ_MISSING_KEYS};
    if (!is_named) throw Failure{CSJ_MISSING_EVENT_NAME};
}

}  // namespace

csj_status csj_parse_records(csj_parser *parser, const uint8_t *body, size_t count, csj_records *out) {
    uint32_t element = 0;
    return guarded(element, [&] {
        *out = {nullptr, 0, nullptr, 0};
        bool is_reply = false;
        parser->records.clear();
        Walk walk(*parser, body, count);
        walk.object([&](std::string_view name) {
            switch (known(name, walk)) {
            case Name::records:
                if (walk.skip_null()) break;
                is_reply = true;
                walk.array([&] {
                    parser->records.emplace_back();
                    read_record(walk, parser->records.back());
                    element += 1;
                });
                break;
            case Name::next:
                if (walk.skip_null()) break;
                parser->next = walk.unescaped(walk.string());
                is_reply = true;
                out->next = parser->next.data();
                out->next_count = parser->next.size();
                break;
            default: walk.skip();
            }
        });
        walk.finish();
        if (!is_reply) throw Failure{CSJ_MISSING_RECORDS};
        out->records = parser->records.data();
        out->count = parser->records.size();
    });
}

namespace {

void read_ranges(Walk &walk, std::vector<csj_range> &ranges, uint32_t &element) {
    walk.array([&] {
        auto range = walk.range();
        if (range.offset == CSJ_ABSENT) throw Failure{CSJ_MISSING_KEYS};
        ranges.push_back(range);
        element += 1;
    });
}

double read_capacity(Walk &walk) {
    double units = NAN;
    walk.object([&](std::string_view name) {
        if (known(name, walk) == Name::capacity_units) {
            units = walk.number();
        } else {
            walk.skip();
        }
    });
    return units;
}

}  // namespace

csj_status csj_parse_found(csj_parser *parser, const uint8_t *body, size_t count, csj_found *out) {
    uint32_t element = 0;
    return guarded(element, [&] {
        *out = {nullptr, 0, nullptr, 0, NAN};
        bool is_reply = false;
        parser->items.clear();
        parser->unprocessed.clear();
        Walk walk(*parser, body, count);
        walk.object([&](std::string_view name) {
            switch (known(name, walk)) {
            case Name::responses:
                is_reply = true;
                walk.object([&](std::string_view) { read_ranges(walk, parser->items, element); });
                break;
            case Name::unprocessed:
                if (walk.skip_null()) break;
                walk.object([&](std::string_view) {
                    walk.object([&](std::string_view name) {
                        if (known(name, walk) == Name::keys) {
                            read_ranges(walk, parser->unprocessed, element);
                        } else {
                            walk.skip();
                        }
                    });
                });
                break;
            case Name::consumed:
                if (walk.skip_null()) break;
                walk.array([&] {
                    auto units = read_capacity(walk);
                    if (!std::isnan(units)) out->capacity_units = units + (std::isnan(out->capacity_units) ? 0 : out->capacity_units);
                });
                break;
            default: walk.skip();
            }
        });
        walk.finish();
        if (!is_reply) throw Failure{CSJ_MISSING_RESPONSES};
        out->items = parser->items.data();
        out->count = parser->items.size();
        out->unprocessed = parser->unprocessed.data();
        out->unprocessed_count = parser->unprocessed.size();
    });
}

csj_status csj_parse_items(csj_parser *parser, const uint8_t *body, size_t count, csj_items *out) {
    uint32_t element = 0;
    return guarded(element, [&] {
        *out = {nullptr, 0, absent, NAN};
        bool is_reply = false;
        parser->items.clear();
        Walk walk(*parser, body, count);
        walk.object([&](std::string_view name) {
            switch (known(name, walk)) {
            case Name::items:
                is_reply = true;
                read_ranges(walk, parser->items, element);
                break;
            case Name::last_key: out->last_evaluated_key = walk.range(); break;
            case Name::consumed:
                if (walk.skip_null()) break;
                out->capacity_units = read_capacity(walk);
                break;
            default: walk.skip();
            }
        });
        walk.finish();
        if (!is_reply) throw Failure{CSJ_MISSING_ITEMS};
        out->items = parser->items.data();
        out->count = parser->items.size();
    });
}
