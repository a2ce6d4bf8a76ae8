// The links of the lessons into the explorer: its own parser accepts every value of them.
import { describe, expect, it } from "vitest";
import { explorerAddress, explorerLinks } from "../../course/explorer-links.ts";
import { lessonFiles } from "../../course/lessons.node.ts";
import { readLink, writeLink } from "../../explorer/shared/link.ts";

describe("the links from the lessons into the explorer", () => {
  it("hold only values that the explorer accepts, and none that it ignores", () => {
    for (const own of explorerLinks) {
      const hash = new URL(explorerAddress(own, "https://example.org/")).hash;
      const { link, refused } = readLink(hash);
      expect(refused, own.text).toEqual([]);
      for (const [key, value] of Object.entries(own.state)) {
        expect(writeLink({ ...link, lesson: "" }), own.text).toSatisfy(
          (written: string) => written.includes(`${key}=${value}`) || readLink(`v=1`).link[key as "view"] === value,
        );
      }
    }
  });

  it("belong to lessons that exist", () => {
    expect(explorerLinks.filter(({ lesson }) => lessonFiles[lesson - 1] === undefined)).toEqual([]);
  });
});
