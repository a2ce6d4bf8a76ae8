// The frame of the page: navigation, the guide, the view, the scrubber, and the keys that work everywhere.
import { effect, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { wrongCells } from "../shared/frames.ts";
import { backends, firstPlace, themes, type View } from "../shared/link.ts";
import { counted, isOrAre } from "../shared/words.ts";
import { Guide } from "./guide.tsx";
import { IsolationButton } from "./parts/isolation.tsx";
import { machineText } from "./parts/numbers.tsx";
import { placeText, Scrubber } from "./parts/scrubber.tsx";
import {
  failure,
  frame,
  go,
  isPlaying,
  link,
  manifest,
  model,
  moveBy,
  moveByStep,
  moveTo,
  output,
  place,
  play,
  puzzleError,
  recordedError,
  refused,
  shape,
  shown,
  shows,
  unknownModel,
  workerError,
} from "./state.ts";
import { Inside } from "./views/inside.tsx";
import { Solve } from "./views/solve.tsx";

type ViewContent = () => JSX.Element | null;

/** A view whose code is loaded when it is opened. */
function later(load: () => Promise<ViewContent>): ViewContent {
  const loaded = signal<ViewContent | null>(null);
  const problem = signal("");
  let isLoading = false;
  return function Later() {
    const Content = loaded.value;
    if (Content) return <Content />;
    if (problem.value) {
      return (
        <div class="waiting-text stack">
          <p class="error" role="alert">
            This view could not be loaded: {problem.value}. If “Try again” does not help, reload the page.
          </p>
          <button type="button" onClick={() => (problem.value = "")}>
            Try again
          </button>
        </div>
      );
    }
    if (!isLoading) {
      isLoading = true;
      load().then(
        (content) => {
          loaded.value = content;
        },
        (error: Error) => {
          isLoading = false;
          problem.value = error.message;
        },
      );
    }
    return <p class="waiting-text">Loading…</p>;
  };
}

/** The views, in the order of the navigation. docs/explorer.md says how to add one. */
const views: readonly { readonly name: View; readonly title: string; readonly content: ViewContent }[] = [
  { name: "solve", title: "Solve", content: Solve },
  { name: "inside", title: "Inside a step", content: Inside },
  {
    name: "class",
    title: "200 puzzles at once",
    content: later(() => import("./views/class.tsx").then(({ Class }) => Class)),
  },
  {
    name: "failures",
    title: "Failures",
    content: later(() => import("./views/failures.tsx").then(({ Failures }) => Failures)),
  },
  { name: "train", title: "Train", content: later(() => import("./views/train.tsx").then(({ Train }) => Train)) },
  {
    name: "gradients",
    title: "Gradients",
    content: later(() => import("./views/gradients.tsx").then(({ Gradients }) => Gradients)),
  },
];

/** Views that have no use for the scrubber. */
const timeless: readonly View[] = ["failures", "train"];

effect(() => {
  const { theme, embed } = link.value;
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.embed = String(embed);
});

/** Keys that work everywhere, except where something is typed. */
export function onKey(event: KeyboardEvent): void {
  const target = event.target as Element;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (timeless.includes(link.peek().view)) return;
  if (target.matches("textarea, select, input:not(.scrubber-range)")) return;
  const isButton = target.matches("button, summary, a, [role=radio]");
  const actions: Record<string, () => void> = {
    ArrowRight: () => (event.shiftKey ? moveByStep(1) : moveBy(1)),
    ArrowLeft: () => (event.shiftKey ? moveByStep(-1) : moveBy(-1)),
    Home: () => moveTo(-1),
    End: () => moveTo(Number.MAX_SAFE_INTEGER),
    ...(!isButton && { " ": () => play(!isPlaying.value) }),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  if (event.key !== " ") play(false);
  action();
}

export function App(): JSX.Element {
  if (failure.value) {
    return (
      <main class="failure">
        <h1>The explorer has nothing to show</h1>
        <p>{failure.value}</p>
      </main>
    );
  }
  const { view, embed, lesson } = link.value;
  const current = views.find(({ name }) => name === view) ?? views[0]!;
  const Content = current.content;
  const isTimeless = timeless.includes(current.name);
  // The settings of a training take the place of the guide, unless a lesson is open.
  const showsGuide = shows("guide") && !embed && shown.value !== null && (current.name !== "train" || lesson !== "");
  return (
    <>
      {!embed && <Header />}
      <Messages />
      <div class={`page-body${showsGuide ? "" : " without-guide"}`}>
        {showsGuide && <Guide />}
        <main id="main" aria-label={current.title}>
          {(lesson === "" || !showsGuide) && <h1 class="sr-only">{current.title}</h1>}
          <Content />
        </main>
      </div>
      {shows("scrubber") && !isTimeless && <Scrubber />}
      <LiveSentence />
    </>
  );
}

/** On a narrow page the tabs are wider than the screen. */
const showTab = (tab: HTMLElement | null): void => tab?.scrollIntoView({ block: "nearest", inline: "center" });

function Header(): JSX.Element {
  const { view } = link.value;
  return (
    <header class="top">
      <a class="brand" href="#v=1">
        <b>trm-ts</b> <span>the recursion explorer</span>
      </a>
      {shows("nav") && (
        <nav aria-label="Views">
          {views.map(({ name, title }) => (
            <button
              key={name}
              type="button"
              class={`tab${name === view ? " current" : ""}`}
              aria-current={name === view ? "page" : undefined}
              ref={name === view ? showTab : null}
              onClick={() => go({ view: name })}
            >
              {title}
            </button>
          ))}
        </nav>
      )}
      {shows("model") && <Choices />}
    </header>
  );
}

/** Whether the title of a model leaves open which one it is: it has another size, or an earlier model has the same title. */
function needsName(name: string, title: string): boolean {
  const isSize = title.replace(/\D/g, "").startsWith(name.replace(/\D/g, ""));
  return !isSize || manifest.value?.models.find((other) => other.title === title)?.name !== name;
}

function Choices(): JSX.Element {
  const { theme, backend, view } = link.value;
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const closeFromOutside = ({ target }: Event): void => {
      if (menu.current && !menu.current.contains(target as Node)) menu.current.open = false;
    };
    addEventListener("pointerdown", closeFromOutside);
    addEventListener("focusin", closeFromOutside);
    return () => {
      removeEventListener("pointerdown", closeFromOutside);
      removeEventListener("focusin", closeFromOutside);
    };
  }, []);
  const onMenuKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !menu.current?.open) return;
    menu.current.open = false;
    menu.current.querySelector("summary")?.focus();
  };
  return (
    <div class="choices">
      {/* A training starts from scratch or from a checkpoint. */}
      {view !== "train" && (
        <label>
          <span class="sr-only">Model</span>
          <select
            value={model.value?.name ?? ""}
            onChange={(event) =>
              go({
                model: event.currentTarget.value,
                puzzle: "",
                sample: 1,
                cell: 0,
                at: firstPlace,
              })
            }
          >
            {manifest.value?.models.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
                {needsName(name, title) ? ` (${name})` : ""}
              </option>
            ))}
          </select>
        </label>
      )}
      <details class="menu" ref={menu} onKeyDown={onMenuKey}>
        <summary>Settings</summary>
        <div class="menu-body">
          <label>
            Theme
            <select value={theme} onChange={(event) => go({ theme: event.currentTarget.value as typeof theme })}>
              {themes.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            Backend
            <select value={backend} onChange={(event) => go({ backend: event.currentTarget.value as typeof backend })}>
              {backends.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <p class="note">{shown.value?.machine ? machineText(shown.value.machine) : ""}</p>
          <IsolationButton />
        </div>
      </details>
    </div>
  );
}

function Messages(): JSX.Element | null {
  const messages = [...refused.value];
  if (workerError.value) messages.push(workerError.value);
  if (unknownModel.value) {
    messages.push(`model: got ${unknownModel.value}, which this page does not have. It shows ${model.value?.name}.`);
  }
  if (puzzleError.value && shown.value && !(link.value.view === "solve" && shows("puzzle"))) {
    messages.push(`${puzzleError.value}. The page still shows the last valid puzzle.`);
  }
  if (recordedError.value) {
    messages.push(`The recorded trace cannot be shown; the model computes its own: ${recordedError.value}.`);
  }
  if (messages.length === 0) return null;
  return (
    <div class="messages" role="alert">
      <p>
        {refused.value.length > 0 && <b>Parts of the link were refused. </b>}
        {messages.join(" ")}
      </p>
      {refused.value.length > 0 && (
        <button type="button" class="quiet" onClick={() => (refused.value = [])}>
          Dismiss
        </button>
      )}
    </div>
  );
}

const sentence = signal("");

// One polite sentence for each supervision step that is reached, and for every move that is not part of playing.
effect(() => {
  const made = frame.value;
  const at = place.value;
  const truth = shown.value?.puzzle.truth;
  const isEnd = at.cycle === shape.value.T && at.update === shape.value.updates.length;
  if (isPlaying.value && !isEnd) return;
  const wrong = truth && made?.latent === output.value ? wrongCells(made.tokens, truth) : null;
  const verdict =
    wrong === null
      ? ""
      : wrong === 0
        ? "; all cells are correct"
        : `; ${counted(wrong, "cell")} ${isOrAre(wrong)} wrong`;
  sentence.value = `${placeText()}${verdict}.`;
});

function LiveSentence(): JSX.Element {
  return (
    <p class="sr-only" role="status" aria-live="polite">
      {sentence.value}
    </p>
  );
}
