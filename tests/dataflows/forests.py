"""Departments that nobody thought of: random trees of systems with random connections."""

from hypothesis import strategies as st

from dataflows.inventory import Category, Connection, Department, System


@st.composite
def departments(draw: st.DrawFn) -> Department:
    """Random forests of systems, up to four levels deep, with random connections."""
    size = draw(st.integers(2, 14))
    systems: dict[str, System] = {}
    for number in range(size):
        parents = [None, *systems]
        systems[f"S{number}"] = System(f"S{number}", "", parent=draw(st.sampled_from(parents)))
    ends = st.tuples(
        st.sampled_from(list(systems)),
        st.sampled_from(list(systems)),
        st.sampled_from(list(Category)),
    ).filter(lambda way: way[0] != way[1])
    ways = draw(st.lists(ends, max_size=25))
    connections = {
        f"C{i}": Connection(f"C{i}", "", source, target, category)
        for i, (source, target, category) in enumerate(ways)
    }
    return Department("DEPT", systems, connections)
