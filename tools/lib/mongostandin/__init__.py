"""A server that speaks MongoDB's wire protocol, for tests on machines for which no MongoDB is packaged.

Documents are kept as the bytes that arrived. Filters, updates, projections, orders and pipelines are evaluated by
mongomock; what mongomock holds to be something else than MongoDB does is set right in `evaluation`, or refused.
"""
