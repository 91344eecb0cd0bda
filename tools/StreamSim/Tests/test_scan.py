"""Scans: pages, segments, filters, projections, and what they cost."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim
from support import Item, by_key, key, n, pages, refused, s


def scan(dynamodb: Any, table: SimulatedTable, **arguments: Any) -> list[Any]:
    """Every page."""
    return list(pages(dynamodb.scan, "ExclusiveStartKey", "LastEvaluatedKey", TableName=table.name, **arguments))


def found(scanned: list[Any]) -> list[Item]:
    return [item for page in scanned for item in page["Items"]]


@pytest.fixture
def items(table: SimulatedTable) -> list[Item]:
    made = [key(f"item-{number}") | {"n": n(number), "even": {"BOOL": number % 2 == 0}} for number in range(60)]
    table.put_all(made)
    return made


@pytest.mark.parametrize("of_a_page", [1, 7, 59, 60, 61])
def test_all_pages_together_hold_every_item_once(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable, items: list[Item], of_a_page: int
) -> None:
    for scanned in (
        scan(dynamodb, table, Limit=of_a_page),
        sim.settings(items_of_a_page=of_a_page) and scan(dynamodb, table),
    ):
        assert all(len(page["Items"]) == page["Count"] == page["ScannedCount"] <= of_a_page for page in scanned)
        assert len(found(scanned)) == len(items)
        assert by_key(found(scanned)) == by_key(items)


def test_an_empty_table_has_one_empty_page(dynamodb: Any, table: SimulatedTable) -> None:
    [page] = scan(dynamodb, table)
    assert (page["Items"], page["Count"], page["ScannedCount"]) == ([], 0, 0)


def test_the_last_evaluated_key_is_the_tables_key_and_no_more(sim: StreamSim, dynamodb: Any, name: str) -> None:
    table = sim.create_table(name, range_type="N")
    table.put_all([{"pk": s("a"), "sk": n(number), "more": n(1)} for number in range(3)])
    page = dynamodb.scan(TableName=name, Limit=2)
    last = page["Items"][-1]
    assert page["LastEvaluatedKey"] == {"pk": last["pk"], "sk": last["sk"]}
    assert len(found(scan(dynamodb, table, Limit=1))) == 3


def test_a_scan_goes_on_though_the_item_of_its_place_is_gone(
    dynamodb: Any, table: SimulatedTable, items: list[Item]
) -> None:
    page = dynamodb.scan(TableName=table.name, Limit=20)
    for item in page["Items"]:
        table.delete({"pk": item["pk"]})
    rest = found(scan(dynamodb, table, ExclusiveStartKey=page["LastEvaluatedKey"]))
    assert by_key(page["Items"] + rest) == by_key(items)
    assert len(rest) == 40


@pytest.mark.parametrize("total", [1, 2, 7, 100])
def test_segments_share_the_items_out(dynamodb: Any, table: SimulatedTable, items: list[Item], total: int) -> None:
    shares = [
        found(scan(dynamodb, table, Segment=segment, TotalSegments=total, Limit=9)) for segment in range(total)
    ]
    everything = list(itertools.chain.from_iterable(shares))
    assert len(everything) == len(items)
    assert by_key(everything) == by_key(items)
    assert sum(bool(share) for share in shares) > min(total, 7) // 2


@pytest.mark.parametrize(
    "segments",
    [{"Segment": 0}, {"TotalSegments": 2}, {"Segment": 2, "TotalSegments": 2}, {"Segment": -1, "TotalSegments": 2},
     {"Segment": 0, "TotalSegments": 0}, {"Segment": 0, "TotalSegments": 1_000_001}],
    ids=str,
)
def test_segments_that_are_none_are_refused(dynamodb: Any, table: SimulatedTable, segments: dict[str, int]) -> None:
    with refused("ValidationException"):
        dynamodb.scan(TableName=table.name, **segments)


@pytest.mark.parametrize(
    "start", [{}, {"pk": n(1)}, {"other": s("a")}, key(1) | {"sk": n(1)}], ids=["empty", "type", "name", "too much"]
)
def test_a_start_that_is_no_key_is_refused(dynamodb: Any, table: SimulatedTable, start: Item) -> None:
    with refused("ValidationException"):
        dynamodb.scan(TableName=table.name, ExclusiveStartKey=start)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_has_room_for_something(dynamodb: Any, table: SimulatedTable, limit: int) -> None:
    with refused("ValidationException"):
        dynamodb.scan(TableName=table.name, Limit=limit)


def test_a_filter_works_behind_the_page(dynamodb: Any, table: SimulatedTable, items: list[Item]) -> None:
    """Limit and ScannedCount count what was read, so that a page can be empty and not be the last."""
    scanned = scan(
        dynamodb, table, Limit=1, FilterExpression="even = :yes", ExpressionAttributeValues={":yes": {"BOOL": True}}
    )
    assert by_key(found(scanned)) == by_key([item for item in items if item["even"]["BOOL"]])
    assert sum(page["ScannedCount"] for page in scanned) == 60
    assert sum(page["Count"] for page in scanned) == 30
    assert any(not page["Items"] and "LastEvaluatedKey" in page for page in scanned)


@pytest.mark.parametrize("expression", ["", "even =", "even = :unknown", "nonsense(n)"])
def test_a_filter_that_is_none_is_refused(dynamodb: Any, table: SimulatedTable, expression: str) -> None:
    with refused("ValidationException"):
        dynamodb.scan(TableName=table.name, FilterExpression=expression)


def test_a_projection_leaves_out_what_it_does_not_name(
    dynamodb: Any, table: SimulatedTable, items: list[Item]
) -> None:
    scanned = scan(dynamodb, table, ProjectionExpression="#n, pk", ExpressionAttributeNames={"#n": "n"})
    assert by_key(found(scanned)) == by_key([{"pk": item["pk"], "n": item["n"]} for item in items])
    # What a filter asks for need not be shown.
    scanned = scan(
        dynamodb, table, ProjectionExpression="pk", FilterExpression="n < :three",
        ExpressionAttributeValues={":three": n(3)},
    )
    assert by_key(found(scanned)) == by_key([{"pk": item["pk"]} for item in items[:3]])


def test_a_page_ends_at_a_megabyte(dynamodb: Any, table: SimulatedTable) -> None:
    large = s("x" * 100_000)
    for number in range(25):
        table.put(key(number) | {"data": large})
    scanned = scan(dynamodb, table)
    assert len(found(scanned)) == 25
    assert all(5 <= len(page["Items"]) <= 11 for page in scanned[:-1])
    # It is counted before the filter.
    scanned = scan(
        dynamodb, table, FilterExpression="attribute_exists(absent)"
    )
    assert found(scanned) == []
    assert len(scanned) >= 3
    assert sum(page["ScannedCount"] for page in scanned) == 25


def test_a_scan_says_what_it_consumed(dynamodb: Any, table: SimulatedTable) -> None:
    """A unit reads 4 KB consistently, or twice as much otherwise."""
    size = 0
    for number in range(20):
        table.put(key(f"{number:02}") | {"data": s("x" * 4000)})
        size += len("pk") + 2 + len("data") + 4000

    def consumed(**arguments: Any) -> float:
        scanned = scan(dynamodb, table, ReturnConsumedCapacity="TOTAL", **arguments)
        assert all(page["ConsumedCapacity"]["TableName"] == table.name for page in scanned)
        return sum(page["ConsumedCapacity"]["CapacityUnits"] for page in scanned)

    assert abs(consumed(ConsistentRead=True) - size / 4096) <= 1
    assert abs(consumed() - size / 8192) <= 0.5
    assert abs(consumed(ConsistentRead=True, FilterExpression="attribute_exists(absent)") - size / 4096) <= 1
    assert "ConsumedCapacity" not in dynamodb.scan(TableName=table.name)
    assert "ConsumedCapacity" not in dynamodb.scan(TableName=table.name, ReturnConsumedCapacity="NONE")


def test_a_scan_sees_every_write_that_ended_before_it(dynamodb: Any, table: SimulatedTable) -> None:
    for version in range(20):
        table.put(key(1) | {"version": n(version)})
        assert dynamodb.scan(TableName=table.name, ConsistentRead=True)["Items"] == [key(1) | {"version": n(version)}]
