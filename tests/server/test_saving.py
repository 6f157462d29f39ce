"""Actions of a notebook, written into a folder."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from nango_jupyter import NangoUsageError
from nango_jupyter.server.config import Integration, read_config
from nango_jupyter.server.saving import SavedAction, save_action, settings_of

TEXT = "# é\n"
SETTINGS = settings_of("slack", None, "https://slack.com/api")


def save(folder: Path, name: str = "notify", text: str = TEXT) -> SavedAction:
    return save_action(folder, "slack", name, text, SETTINGS)


def integrations(folder: Path) -> Mapping[str, Integration]:
    found = read_config(folder, {})
    assert not found.problems
    return found.config.integrations


def test_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    saved = save(folder)
    assert saved.path == folder / "slack" / "notify.action.py"
    assert saved.path.read_bytes() == TEXT.encode()
    assert not saved.is_replaced
    found = integrations(folder)["slack"]
    assert (found.base_url, found.auth_mode) == ("https://slack.com/api", "OAUTH2")
    assert found.headers == {"Authorization": "Bearer ${access_token}"}
    assert sorted(path.name for path in folder.rglob("*")) == [
        "integrations.yaml",
        "notify.action.py",
        "slack",
    ]


def test_again_it_is_replaced_and_the_settings_stay(tmp_path: Path) -> None:
    save(tmp_path)
    settings = tmp_path / "integrations.yaml"
    settings.write_text("slack: {}  # mine\n")
    saved = save(tmp_path, text="x = 1\n")
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
    saved = save(tmp_path)
    assert saved.note == "slack was added to integrations.yaml: look at its settings"
    after = (tmp_path / "integrations.yaml").read_bytes().decode()
    assert after.startswith(text)
    found = integrations(tmp_path)
    assert found["slack"].headers == {"Authorization": "Bearer ${access_token}"}
    assert before is None or "github" in found


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
    saved = save(tmp_path)
    assert saved.note.startswith("Add to integrations.yaml:\nslack:\n    auth:\n")
    assert (tmp_path / "integrations.yaml").read_text() == text
    assert saved.path.exists()


def test_settings_are_those_of_the_folder_that_is_served(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    slack = {
        "requests": {"base_url": "${SLACK_URL}", "params": {"key": "${KEY}"}},
        "log_level": "debug",
    }
    (served / "integrations.yaml").write_text(yaml.safe_dump([{"slack": slack}, {"empty": None}]))
    assert settings_of("slack", served, "https://example.com") == slack
    made = {"auth": {"auth_mode": "OAUTH2"}}
    assert settings_of("empty", served, None) == settings_of("new", served, None) == made
    (served / "integrations.yaml").write_text("broken: [")
    assert settings_of("slack", served, None) == made
    assert settings_of("crm", None, None)["http_request_timeout_seconds"] == 10


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\\b", "a\0"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(NangoUsageError, match="can't be a file's name"):
        save(folder, name)
    with pytest.raises(NangoUsageError, match="can't be a file's name"):
        save_action(folder, name, "notify", TEXT, SETTINGS)
    assert not list(folder.iterdir())


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "slack").symlink_to(outside)
    with pytest.raises(NangoUsageError, match="leads out of the folder"):
        save(folder)
    assert not list(outside.iterdir())
    (folder / "slack").unlink()
    (folder / "slack").mkdir()
    (outside / "notify.action.py").write_text("mine")
    (folder / "slack" / "notify.action.py").symlink_to(outside / "notify.action.py")
    save(folder)
    assert (outside / "notify.action.py").read_text() == "mine"


def test_what_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NangoUsageError, match="can't be written: ") as caught:
        save(tmp_path / "file")
    assert "--save" in caught.value.hint
