"""What a destination list says against the map."""

from hypothesis import given
from hypothesis import strategies as st

from dataflows.inventory import Department
from dataflows.probing.drift import Endpoint, Modelled, Use, compare, modelled_destinations
from dataflows.probing.lists import Destination


def modelled(*endpoints: tuple[str, str, int]) -> list[Modelled]:
    return [Modelled(Endpoint(*one), (Use(f"C{n}", 1),)) for n, one in enumerate(endpoints, 1)]


def listed(*endpoints: tuple[str, str, int]) -> list[Destination]:
    return [Destination("", *one, line=n) for n, one in enumerate(endpoints, 2)]


def test_a_list_that_agrees_has_no_drift() -> None:
    drift = compare(
        modelled(("A", "Host.Example.org", 104)), listed(("A", "host.example.org.", 104))
    )

    assert drift.is_none
    assert drift.told == "no drift: 1 endpoints agree"


def test_added_removed_and_changed_are_told_apart() -> None:
    drift = compare(
        modelled(
            ("KEPT", "h1", 104), ("MOVED", "h2", 104), ("OLD", "h3", 104), ("GONE", "h4", 104)
        ),
        listed(
            ("KEPT", "h1", 104), ("MOVED", "h9", 11112), ("NEW", "h3", 104), ("MORE", "h5", 104)
        ),
    )

    assert [(one.before.endpoint.ae, one.endpoint.ae, one.what) for one in drift.changed] == [
        ("MOVED", "MOVED", "host, port"),
        ("OLD", "NEW", "AE title"),
    ]
    assert [one.ae for one in drift.added] == ["MORE"]
    assert [one.endpoint.ae for one in drift.removed] == ["GONE"]
    assert drift.told == "1 added, 1 removed, 2 changed, 1 the same"


def test_where_two_would_fit_none_is_guessed() -> None:
    drift = compare(modelled(("A", "h1", 104)), listed(("A", "h2", 104), ("A", "h3", 104)))

    assert (len(drift.added), len(drift.removed), drift.changed) == (2, 1, ())


_ENDPOINTS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(["h1", "h2", "h3"]), st.sampled_from([1, 2])),
    unique=True,
    max_size=8,
)


@given(_ENDPOINTS, _ENDPOINTS)
def test_every_endpoint_of_both_is_told_exactly_once(
    left: list[tuple[str, str, int]], right: list[tuple[str, str, int]]
) -> None:
    drift = compare(modelled(*left), listed(*right))

    told_left = [one.endpoint for one, _ in drift.same]
    told_left += [one.before.endpoint for one in drift.changed]
    told_left += [one.endpoint for one in drift.removed]
    told_right = [Endpoint(one.ae, one.host, one.port) for _, one in drift.same]
    told_right += [one.endpoint for one in drift.changed]
    told_right += [Endpoint(one.ae, one.host, one.port) for one in drift.added]
    assert sorted(told_left) == sorted(left)
    assert sorted(told_right) == sorted(right)


def test_a_system_asks_what_it_stores_to_and_what_it_queries(department: Department) -> None:
    """The archive sends back over C012 and is asked over it; only the first is its destination."""
    archive = {
        one.endpoint.ae: one.connections for one in modelled_destinations(department, "PACS")
    }
    contours = {one.endpoint.ae for one in modelled_destinations(department, "CONT")}

    assert "C012" in archive["CONT"]
    assert "PACS_ARC" in contours
    assert "CONT" not in contours
