// Where the page starts.
import { effect } from "@preact/signals";
import { render } from "preact";
import { App, onKey } from "./app.tsx";
import { startGuide } from "./guide.tsx";
import { checkIsolation } from "./parts/isolation.tsx";
import { shown, start } from "./state.ts";
import "./styles.css";

// For scripts of teachers, and for the tests: the trace that is shown, as plain data.
Object.assign(globalThis, { explorer: { shown: () => shown.peek() } });

checkIsolation();
addEventListener("keydown", onKey);
render(<App />, document.getElementById("page")!);
void start();

// The tour starts once there is something to show.
const stop = effect(() => {
  if (!shown.value) return;
  queueMicrotask(() => {
    stop();
    startGuide();
  });
});
