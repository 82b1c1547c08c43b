"""Every reason code comes with the next step, and a refusal tells all its faults."""

from engine.errors import NEXT_STEPS, Fault, Reason, Refusal


def test_every_code_states_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(Reason)
    assert all(len(step) > 20 and step.endswith(".") for step in NEXT_STEPS.values())


def test_a_code_is_written_as_its_name() -> None:
    assert all(reason.name == reason.value for reason in Reason)


def test_a_refusal_names_every_fault() -> None:
    faults = [
        Fault(Reason.VALUE_MISSING, "a.dcm", "X is missing."),
        Fault(Reason.TRUNCATED, "b", "y"),
    ]

    refusal = Refusal(faults)

    assert refusal.codes == {Reason.VALUE_MISSING, Reason.TRUNCATED}
    assert str(refusal).splitlines() == [str(fault) for fault in faults]


def test_a_fault_may_carry_its_own_next_step() -> None:
    assert Fault(Reason.TRUNCATED, "a", "b", "Ring the sender.").next_step == "Ring the sender."
