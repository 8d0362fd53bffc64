"""A page with more patience than with people: where many tests share a machine, whatever starts takes its time."""

from sitegen.browser.chromium import Chromium

# The page goes on without a service worker after 5 seconds, and its worker without further threads after 8. Both are
# right for one person's machine; here they would say how busy it is. A page with `window.isImpatient` keeps to them.
_PATIENT = """
{
  const LONG = 120_000;
  const {setTimeout, Blob} = window;
  window.setTimeout = (act, delay, ...values) =>
    setTimeout(act, act.name === "giveUp" && !window.isImpatient ? LONG : delay, ...values);
  const patient = (part) => typeof part === "string" && !window.isImpatient
    ? part.replace("THREADS_MS = 8_000", `THREADS_MS = ${LONG}`) : part;
  window.Blob = new Proxy(Blob, {
    construct(made, [parts = [], options = {}], wanted) {
      const given = options.type === "text/javascript" ? Array.from(parts, patient) : parts;
      return Reflect.construct(made, [given, options], wanted);
    },
  });
}
"""
IMPATIENT = "window.isImpatient = true;"


def be_patient(driver: Chromium) -> None:
    """Give patience to all pages of the driver's tab that are opened from now on."""
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _PATIENT})
