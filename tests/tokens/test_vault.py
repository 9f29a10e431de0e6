from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime.errors import StateError
from runtime.tokens.vault import KEY_NAME, Vault

SECRET = SecretStr("correct horse")


def test_a_secret_comes_back_with_the_key_of_its_state(tmp_path: Path) -> None:
    text = Vault(tmp_path).encrypt(SECRET)
    assert "correct" not in text
    assert Vault(tmp_path).decrypt(text) == SECRET


@pytest.mark.hostile
def test_the_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    Vault(tmp_path).encrypt(SECRET)
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]


@pytest.mark.hostile
def test_another_key_or_a_changed_text_is_named_and_nothing_leaks(tmp_path: Path) -> None:
    text = Vault(tmp_path).encrypt(SECRET)
    other = tmp_path / "other"
    other.mkdir()
    for vault, ciphertext in ((Vault(other), text), (Vault(tmp_path), text[:-4] + "AAAA")):
        with pytest.raises(StateError) as caught:
            vault.decrypt(ciphertext)
        assert caught.value.code == "KEY_MISMATCH"
        assert "correct" not in str(caught.value)
