"""Actions of a notebook, written into a folder."""

from pathlib import Path

import pytest
import yaml

from nango_jupyter import NangoUsageError
from nango_jupyter.secrets import remember
from nango_jupyter.server.config import FolderConfig, Integration
from nango_jupyter.server.saving import save_action

TEXT = "# é\n"
SLACK = Integration(
    "slack",
    base_url="https://slack.com/api",
    headers={"Authorization": "Bearer ${access_token}", "X-Api-Key": "a-fixed-secret"},
)
ENTRY = {
    "auth": {"auth_mode": "OAUTH2"},
    "requests": {
        "base_url": "https://slack.com/api",
        "headers": {"Authorization": "Bearer ${access_token}"},
    },
}


def read(folder: Path) -> object:
    return yaml.safe_load((folder / "integrations.yaml").read_text())


def test_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    saved = save_action(folder, SLACK, "notify", TEXT)
    assert saved.path == folder / "slack" / "notify.action.py"
    assert saved.path.read_bytes() == TEXT.encode()
    assert not saved.is_replaced
    assert read(folder) == {"integrations": {"slack": ENTRY}}
    found = FolderConfig.load(folder, {}).integrations["slack"]
    assert (found.base_url, found.auth_mode) == (SLACK.base_url, "OAUTH2")
    assert sorted(path.name for path in folder.rglob("*")) == [
        "integrations.yaml",
        "notify.action.py",
        "slack",
    ]


def test_again_it_is_replaced_and_the_settings_stay(tmp_path: Path) -> None:
    save_action(tmp_path, SLACK, "notify", TEXT)
    settings = tmp_path / "integrations.yaml"
    settings.write_text("slack: {}  # mine\n")
    saved = save_action(tmp_path, SLACK, "notify", "x = 1\n")
    assert (saved.is_replaced, saved.note) == (True, "")
    assert saved.path.read_text() == "x = 1\n"
    assert settings.read_text() == "slack: {}  # mine\n"


FORMS = [
    "",
    "# nothing yet",
    "github:\n  auth: {auth_mode: OAUTH2}  # mine",
    "integrations:\n  github:\n    auth: {auth_mode: OAUTH2}  # mine\n\n",
    "integrations:\n- github: {}\n- other:\n    base_url: https://example.com  # mine\n",
    "- github: {}\n",
    "integrations:\r\n    github: {}\r\n",
    "x-more: 1\nintegrations:\n    github: {}\n",
]


@pytest.mark.parametrize("text", FORMS)
def test_the_settings_are_added_to_what_is_there(tmp_path: Path, text: str) -> None:
    (tmp_path / "integrations.yaml").write_bytes(text.encode())
    before = yaml.safe_load(text)
    saved = save_action(tmp_path, SLACK, "notify", TEXT)
    assert saved.note == "slack was added to integrations.yaml: look at its settings"
    after = (tmp_path / "integrations.yaml").read_bytes().decode()
    assert after.startswith(text)
    integrations = FolderConfig.load(tmp_path, {}).integrations
    assert integrations["slack"].headers == {"Authorization": "Bearer ${access_token}"}
    assert before is None or "github" in integrations


UNSAFE = [
    "{github: {}}\n",
    "integrations: {github: {}}\n",
    "integrations:\n    github: {}\nx-more: 1\n",
    "integrations:\n",
    "integrations: 5\n",
    "just text\n",
    "broken: [\n",
    "github: {}\n...\n",
    "github: |\n  text",
    "github: {}\n---\nother: {}\n",
]


@pytest.mark.parametrize("text", UNSAFE)
def test_what_can_not_be_added_safely_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "integrations.yaml").write_text(text)
    saved = save_action(tmp_path, SLACK, "notify", TEXT)
    assert saved.note.startswith("Add to integrations.yaml:\nslack:\n    auth:\n")
    assert (tmp_path / "integrations.yaml").read_text() == text
    assert saved.path.exists()


def test_no_secret_is_written(tmp_path: Path) -> None:
    remember("pass-of-the-url")
    integration = Integration(
        "odd: name", base_url="https://u:pass-of-the-url@example.com", params={"key": "fixed"}
    )
    save_action(tmp_path, integration, "notify", TEXT)
    assert read(tmp_path) == {"integrations": {"odd: name": {"auth": {"auth_mode": "OAUTH2"}}}}


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\\b", "a\0"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(NangoUsageError, match="can't be a file's name"):
        save_action(folder, SLACK, name, TEXT)
    with pytest.raises(NangoUsageError, match="can't be a file's name"):
        save_action(folder, Integration(name), "notify", TEXT)
    assert not list(folder.iterdir())


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "slack").symlink_to(outside)
    with pytest.raises(NangoUsageError, match="leads out of the folder"):
        save_action(folder, SLACK, "notify", TEXT)
    assert not list(outside.iterdir())
    (folder / "slack").unlink()
    (folder / "slack").mkdir()
    (outside / "notify.action.py").write_text("mine")
    (folder / "slack" / "notify.action.py").symlink_to(outside / "notify.action.py")
    save_action(folder, SLACK, "notify", TEXT)
    assert (outside / "notify.action.py").read_text() == "mine"


def test_what_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NangoUsageError, match="can't be written: ") as caught:
        save_action(tmp_path / "file", SLACK, "notify", TEXT)
    assert "--save" in caught.value.hint
