// How things are shared out.

/** Start of part `i` when `count` things are shared out evenly among `parts`. */
// @ts-ignore: decorator
@inline
export function evenStart(i: i32, count: i32, parts: i32): i32 {
  return <i32>((<i64>i * <i64>count) / <i64>parts);
}

/**
 * Start of group `g` when `count` things are shared out among two or more groups, one at least to each. Each half of the groups has half
 * of the things, as each of two threads has half of the groups (pool.ts).
 */
export function groupStart(g: i32, count: i32, groups: i32): i32 {
  const half = groups >> 1, things = count >> 1;
  if (g < half) return shrinkingStart(g, things, half);
  return things + shrinkingStart(g - half, count - things, groups - half);
}

/**
 * The later, the fewer: (1 - g / groups)^3 of the things, one for each group set aside, are left for group `g` and those after it. A thread that falls behind then has
 * little to do at the end, for which the others would have to wait.
 */
function shrinkingStart(g: i32, count: i32, groups: i32): i32 {
  const left = <i64>(groups - g), all = <i64>groups;
  const cube = all * all * all;
  return g + <i32>((<i64>(count - groups) * (cube - left * left * left)) / cube);
}
