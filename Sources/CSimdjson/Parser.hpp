// What the two halves of the shim share: the parser's memory, and how a failure reaches C.
#ifndef SHAKE_CSIMDJSON_PARSER_HPP
#define SHAKE_CSIMDJSON_PARSER_HPP

#include "CSimdjson.h"

// Its checks of how the API is used would cost two thirds of the speed; the tests run over every member order.
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#include <simdjson.h>

#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

struct csj_parser {
    simdjson::ondemand::parser keys;
    /// simdjson's first stage, which finds every bracket, colon, comma, string and scalar, and checks the UTF-8.
    std::unique_ptr<simdjson::internal::dom_parser_implementation> indexer;
    std::vector<uint8_t> copy;  // of an object that has too little room behind it
    std::vector<csj_record> records;
    std::vector<csj_range> items;
    std::vector<csj_range> unprocessed;
    std::string next;
    std::vector<csj_token> tokens;
    std::vector<uint8_t> texts;
    std::vector<uint32_t> members, sorted;  // of an item's maps, while they are read
    std::string path;
};

/// Thrown within the shim only, and turned into a status by `guarded` before anything returns to C.
struct Failure {
    csj_problem problem;
    const char *detail = nullptr;
};

inline void check(simdjson::error_code error) {
    if (__builtin_expect(error != simdjson::SUCCESS, 0)) {
        throw Failure{error == simdjson::MEMALLOC ? CSJ_NO_MEMORY : CSJ_MALFORMED, simdjson::error_message(error)};
    }
}

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

#endif
