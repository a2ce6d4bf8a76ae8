// The signs of x, y, z and q: a colour and a form each, the same in all views. styles.css has the colours.
import type { JSX } from "preact";

export type SignName = "x" | "y" | "z" | "q";

/** The sign of a latent: every latent that is not the answer is a kind of z. */
export const signOf = (latent: string, output: string): SignName => (latent === output ? "y" : "z");

const outlines: Record<SignName, string> = {
  x: "M3 3h10v10H3z",
  y: "M8 2.500a5.500 5.500 0 1 1 0 11a5.500 5.500 0 1 1 0-11z",
  z: "M8 1.500 14.500 8 8 14.500 1.500 8z",
  q: "M8 2.500 14.500 13.500h-13z",
};

/** The sign alone. `hollow` marks what is not on the tape. */
export function Sign({ name, hollow = false }: { name: SignName; hollow?: boolean }): JSX.Element {
  return (
    <svg
      class={`sign sign-${name}${hollow ? " hollow" : ""}`}
      width={14}
      height={14}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={outlines[name]} />
    </svg>
  );
}

/** The sign with its letter. */
export function Named({ name, children }: { name: SignName; children?: JSX.Element | string }): JSX.Element {
  return (
    <span class={`named named-${name}`}>
      <Sign name={name} />
      <i>{children ?? name}</i>
    </span>
  );
}

/** What the four signs mean. */
export function Legend(): JSX.Element {
  return (
    <dl class="legend">
      <div>
        <dt>
          <Named name="x" />
        </dt>
        <dd>the puzzle, as numbers</dd>
      </div>
      <div>
        <dt>
          <Named name="y" />
        </dt>
        <dd>the current answer</dd>
      </div>
      <div>
        <dt>
          <Named name="z" />
        </dt>
        <dd>latent reasoning: working notes</dd>
      </div>
      <div>
        <dt>
          <Named name="q" />
        </dt>
        <dd>estimated chance of being correct</dd>
      </div>
    </dl>
  );
}
