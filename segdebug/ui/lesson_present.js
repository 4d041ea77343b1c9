// Arrow keys, Page up and down (what clickers send), and the space bar turn the slides.
const TURNS = { ArrowLeft: -1, PageUp: -1, ArrowRight: 1, PageDown: 1, " ": 1 };

export default function ({ setTriggerValue }) {
  const listen = (event) => {
    const by = TURNS[event.key];
    const inside = event.composedPath()[0];
    const typing = inside instanceof Element && inside.closest("input, textarea, select, button, canvas, [role=slider]");
    if (!by || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    setTriggerValue("turn", by);
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}
