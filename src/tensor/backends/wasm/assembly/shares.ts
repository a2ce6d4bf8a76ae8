// Division of work into parts.

/** Start of part `i` when `count` items are divided evenly into `parts`. */
// @ts-ignore: decorator
@inline
export function evenStart(i: i32, count: i32, parts: i32): i32 {
  return <i32>((<i64>i * <i64>count) / <i64>parts);
}

/**
 * Start of group `g` when `count` items are divided into two or more groups of at least one item. Each half of the groups has half
 * of the items, because each of two threads has half of the groups (pool.ts).
 */
export function groupStart(g: i32, count: i32, groups: i32): i32 {
  const half = groups >> 1, items = count >> 1;
  if (g < half) return shrinkingStart(g, items, half);
  return items + shrinkingStart(g - half, count - items, groups - half);
}

/**
 * Later groups are smaller. After one item per group is set aside, group `g` and the groups after it share (1 - g / groups)^3 of the
 * items. A thread that falls behind then has little work left at the end, when the others wait for it.
 */
function shrinkingStart(g: i32, count: i32, groups: i32): i32 {
  const left = <i64>(groups - g), all = <i64>groups;
  const cube = all * all * all;
  return g + <i32>((<i64>(count - groups) * (cube - left * left * left)) / cube);
}
