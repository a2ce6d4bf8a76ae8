// Generates mazes by the published recipe: every cell is a wall with a probability drawn from 30 to 50%, start and goal are random,
// and a maze is kept if the shortest path between them is longer than a threshold (30x30: 110 steps).
//
// A random start and goal are rarely that far apart. Therefore two breadth-first searches (from a random cell to the farthest cell,
// and from there again) estimate the longest path of every drawing of walls. Only if it exceeds the threshold are all pairs
// measured, and one of the long pairs is drawn with equal probability.
//
// The bias against the recipe: walls with one long pair are as likely as walls with many, which the recipe would draw more often;
// and walls are dropped if their long pairs lie outside the region of the random cell, or if the two searches (a lower bound)
// underestimate the longest path. Given the walls, start and goal follow the recipe.
import type { Random } from "../../tensor/index.ts";
import { ConfigError, type TokenPair } from "../../trm/index.ts";
import { distancesFrom, FREE, GOAL, isMazeSide, MAZE_SIDES, START, solveMaze, WALL } from "./board.ts";

export interface MazeOptions {
  /** 7 to 30. */
  readonly side: number;
  /** The shortest path has more steps than this. Default: in proportion to the published 30x30 mazes (110 steps for 900 cells). */
  readonly longerThan?: number | undefined;
  /** Range of the share of walls. Default [0.3, 0.5]. */
  readonly walls?: readonly [number, number] | undefined;
}

const PUBLISHED_WALLS = [0.3, 0.5] as const;

/** Drawings of walls without a long path after which the generator gives up. */
const MAX_DRAWS = 200_000;

export function defaultLongerThan(side: number): number {
  return Math.floor((side * side * 110) / 900);
}

/** @throws ConfigError for an invalid side, threshold or share of walls, or if no such maze is found */
export function generateMaze(options: MazeOptions, random: Random): TokenPair {
  const { side, longerThan = defaultLongerThan(options.side), walls = PUBLISHED_WALLS } = options;
  checkMazeOptions(options);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const share = walls[0] + (walls[1] - walls[0]) * random.uniform();
    const maze = Int32Array.from({ length: side * side }, () => (random.bernoulli(share) ? WALL : FREE));
    if (longestSeen(maze, side, random) <= longerThan) continue;
    const [start, goal] = randomLongPair(maze, side, longerThan, random);
    maze[start] = START;
    maze[goal] = GOAL;
    return { question: maze, answer: solveMaze(maze, side) };
  }
  throw new ConfigError(
    `maze${side}: no path longer than ${longerThan} steps in ${MAX_DRAWS} drawings of walls, expected a smaller length`,
  );
}

/** A lower bound of the longest shortest path in the region of a random free cell (exact on trees). */
function longestSeen(maze: Int32Array, side: number, random: Random): number {
  const free = freeCells(maze);
  if (free.length < 2) return 0;
  const first = distancesFrom(maze, side, free[random.integer(free.length)]!);
  const second = distancesFrom(maze, side, first.indexOf(Math.max(...first)));
  return Math.max(...second);
}

function randomLongPair(maze: Int32Array, side: number, longerThan: number, random: Random): [number, number] {
  const pairs: [number, number][] = [];
  for (const start of freeCells(maze)) {
    const distance = distancesFrom(maze, side, start);
    for (let goal = 0; goal < distance.length; goal++) {
      if (distance[goal]! > longerThan) pairs.push([start, goal]);
    }
  }
  return pairs[random.integer(pairs.length)]!;
}

function freeCells(maze: Int32Array): number[] {
  return [...maze.keys()].filter((cell) => maze[cell] === FREE);
}

/** @throws ConfigError for an invalid side, threshold or share of walls */
export function checkMazeOptions(options: MazeOptions): void {
  const { side, longerThan = defaultLongerThan(options.side), walls = PUBLISHED_WALLS } = options;
  const [least, most] = walls;
  if (!isMazeSide(side)) {
    throw new ConfigError(`maze: side ${side}, expected ${MAZE_SIDES.smallest} to ${MAZE_SIDES.largest}`);
  }
  const longest = Math.ceil((side * side) / 2) + side; // Longer shortest paths exist from side 8 on, but not among random walls.
  if (!Number.isInteger(longerThan) || longerThan < 0 || longerThan >= longest) {
    throw new ConfigError(
      `maze${side}: path longer than ${longerThan} steps, expected a whole number from 0 below ${longest}`,
    );
  }
  if (!(least >= 0 && least <= most && most < 1)) {
    throw new ConfigError(`maze${side}: share of walls ${least} to ${most}, expected 0 <= from <= to < 1`);
  }
}
