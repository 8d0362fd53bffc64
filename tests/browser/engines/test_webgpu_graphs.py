"""The networks that ship, on WebGPU: none leaves an operator to the CPU."""

import base64
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from sitegen.browser.chromium import Chromium, chromium
from sitegen.bundle import Bundle
from sitegen.site.bundle_assets import ROLES_IN_THE_PAGE
from tests.helpers.browser.engine_page import SOFTWARE_ADAPTER, engine_page

pytestmark = pytest.mark.browser

# A session that would leave an operator to the CPU is not created. Nothing runs: in software that takes a minute.
CREATE = """
const [text, done] = arguments;
const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const extra = {session: {disable_cpu_ep_fallback: "1"}};
const created = import("./ort.webgpu.bundle.min.mjs").then((ort) =>
  ort.InferenceSession.create(bytes, {executionProviders: ["webgpu"], extra}));
created.then((session) => session.release()).then(() => done("created"), (error) => done(String(error)));
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(SOFTWARE_ADAPTER) as driver, engine_page(driver, tmp_path_factory.mktemp("engine")) as page:
        assert page.has_adapter
        yield driver


def created(driver: Chromium, path: Path) -> str:
    """What the engine says to a graph; its weights come with it."""
    model = onnx.load(str(path))
    return str(driver.execute_async_script(CREATE, base64.b64encode(model.SerializeToString()).decode()))


def test_no_operator_of_a_shipped_network_is_left_to_the_cpu(engine: Chromium, shipped_bundle: Bundle) -> None:
    roles = [role for role in ROLES_IN_THE_PAGE if role in shipped_bundle.description.graphs]
    assert set(roles) >= {"classifier", "gate", "gradient", "cam", "guided"}
    assert {role: created(engine, shipped_bundle.graph_path(role)) for role in roles} == dict.fromkeys(roles, "created")
