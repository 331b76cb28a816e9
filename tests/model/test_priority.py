"""Priorities: PPR as the SDM and KVM compute it, and who may interrupt whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmlab.processor.priority import passes, priority_class, processor_priority

BYTES, VECTORS = st.integers(0, 255), st.integers(16, 255)


@pytest.mark.parametrize(
    ("tpr", "serving", "ppr"),
    [(0x20, 0x31, 0x30), (0x35, 0x31, 0x35), (0x40, 0x31, 0x40), (0x00, 0x00, 0x00), (0x0F, 0x00, 0x0F)],
)
def test_published_examples_of_ppr(tpr: int, serving: int, ppr: int) -> None:
    """K.7: the class in service wins, the task priority wins, and a tie is the task priority's."""
    assert processor_priority(tpr, serving) == ppr


@given(BYTES, BYTES)
def test_the_class_of_ppr_is_the_higher_of_both(tpr: int, serving: int) -> None:
    """PPR[7:4] = max(TPR[7:4], ISRV[7:4]); the low nibble is TPR's, or 0 where ISRV is strictly above."""
    ppr = processor_priority(tpr, serving)
    assert priority_class(ppr) == max(priority_class(tpr), priority_class(serving))
    assert ppr & 0xF == (0 if serving >> 4 > tpr >> 4 else tpr & 0xF)


@given(VECTORS, BYTES)
def test_a_vector_passes_as_kvm_compares_it(vector: int, ppr: int) -> None:
    """Class above class is the same as KVM's (vector & 0xf0) > PPR: PPR's low nibble changes nothing."""
    assert passes(vector, ppr) == ((vector & 0xF0) > ppr)


@given(BYTES)
def test_class_15_blocks_everything(low: int) -> None:
    """No fixed interrupt passes a task priority of class 15."""
    assert not any(passes(vector, 0xF0 | low & 0xF) for vector in range(16, 256))
