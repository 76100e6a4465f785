from __future__ import annotations

import re
from pathlib import Path

import pytest

from psp_harness.miniatures import MINIATURES, Miniature, miniature
from psp_harness.miniatures.durable import STATE_DIR
from psp_harness.model import Role

ALL = list(MINIATURES.values())


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_miniature_says_in_one_sentence_what_it_does(one: Miniature) -> None:
    """A kebab-case name, one sentence, and a mode exactly where it breaks rules."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name)
    assert one.says.endswith((".", '"'))
    assert ". " not in one.says
    assert bool(one.mode) == bool(one.breaks)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_miniature_can_be_made_and_driven(one: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client and a shop have the verbs of the subject protocol, a provider can be called."""
    monkeypatch.setenv(STATE_DIR, str(tmp_path))
    made = one.make()
    verbs = {Role.CLIENT: ("start", "do", "stop"), Role.SHOP: ("start", "do")}.get(one.role, ("__call__",))
    assert all(callable(getattr(made, verb)) for verb in verbs)
    assert made is not one.make()


@pytest.mark.parametrize("role", Role)
def test_there_are_correct_ones_of_each_role(role: Role) -> None:
    """A rule that reports everything is caught by those that do the right thing in another way."""
    assert len([one for one in ALL if one.role is role and not one.breaks]) >= 4


def test_two_miniatures_never_share_a_name() -> None:
    """The second one is refused when it is declared."""
    with pytest.raises(ValueError, match="registered twice"):
        miniature("careful-client", role=Role.CLIENT)(object)
