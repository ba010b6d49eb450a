import { readFileSync } from "node:fs";

const document = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

type Part = "gateway" | "worker" | "both";

/** The metrics of these parts in the table of docs/operations.md, by name, each with its labels. */
export function documentedMetrics(parts: readonly Part[]) {
  const quoted = (cell = "") => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word as string);
  return [...document.matchAll(/^\| (gateway|worker|both) +\|([^|]*)\|([^|]*)\|/gm)]
    .filter(([, part]) => parts.includes(part as Part))
    .flatMap(([, , names, labels]) =>
      quoted(names).map((name) => ({ name: `second_step_${name}`, labels: quoted(labels) })),
    )
    .toSorted((a, b) => (`${a.name} ` < `${b.name} ` ? -1 : 1));
}
