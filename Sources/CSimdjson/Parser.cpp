#include "Parser.hpp"

csj_parser *csj_parser_new(void) { return new (std::nothrow) csj_parser; }

void csj_parser_free(csj_parser *parser) { delete parser; }

size_t csj_parser_capacity(const csj_parser *parser) {
    return std::max(parser->keys.capacity(), parser->indexer ? parser->indexer->capacity() : 0);
}
