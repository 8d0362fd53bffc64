// The page once there is an image: one bar, and below it list, viewer and findings. On a phone one of them is shown at a time.
const PHONE = "(max-width: 40rem)";
const NAMES = { list: "List", image: "Image", findings: "Findings" };

class Panes {
  /** @param {HTMLElement} work @param {HTMLElement} tabs */
  constructor(work, tabs) {
    this.work = work;
    this.tabs = tabs;
    this.buttons = Object.entries(NAMES).map(([pane, name], index, all) => {
      const button = element("button", { type: "button", role: "tab", textContent: name, id: `tab-${pane}`, onclick: () => this.show(/** @type {PaneName} */ (pane)) });
      button.dataset.pane = pane;
      button.onkeydown = (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, Home: -index, End: all.length - 1 - index }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const next = this.buttons[(index + step + all.length) % all.length];
        this.show(/** @type {PaneName} */ (next.dataset.pane));
        next.focus();
      };
      return button;
    });
    tabs.append(...this.buttons);
    this.show("image");
  }

  // On larger screens all are in sight anyway.
  /** @param {PaneName} pane */
  show(pane) {
    this.work.dataset.pane = pane;
    for (const button of this.buttons) {
      const isChosen = button.dataset.pane === pane;
      button.setAttribute("aria-selected", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    }
  }

  get isPhone() {
    return matchMedia(PHONE).matches;
  }

  // Panes that scroll can be reached by the keyboard.
  /** @param {HTMLElement[]} nodes */
  reachable(...nodes) {
    for (const node of nodes) node.tabIndex = 0;
  }

  /** @param {boolean} isAtWork */
  begin(isAtWork) {
    document.body.classList.toggle("at-work", isAtWork);
    this.work.hidden = !isAtWork;
  }
}

// Rebuilds a part of the page; what had the focus in it has it again, by its data-action, or else the part as a whole.
/** @param {HTMLElement} node @param {() => void} rebuild */
function keepingFocus(node, rebuild) {
  const active = document.activeElement;
  const action = active instanceof HTMLElement && active !== node && node.contains(active) ? (active.dataset.action ?? "") : null;
  rebuild();
  if (action === null || (node.contains(document.activeElement) && document.activeElement !== node && !isGone(document.activeElement))) return;
  const next = action && node.querySelector(`[data-action="${CSS.escape(action)}"]`);
  if (next instanceof HTMLElement && !isGone(next)) next.focus();
  else node.focus();
}

/** @param {Element | null} node */
function isGone(node) {
  return !node?.checkVisibility?.();
}
