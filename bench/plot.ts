import type { Result } from "./measure.ts";

const ROW = 22;
const TOP = 58;
const NAMES = 250;
const BARS = { left: 260, width: 230 };
const DOTS = { left: 570, width: 380 };
const COLOURS = { p50: "#3b6ea8", p95: "#d08a1d", p99: "#b23a48" };

/** An SVG picture of rates and latencies: a row for each load and request. */
export function plot(results: readonly Result[]): string {
  const rows = results.flatMap(({ name, perSecond, latencyMs }) =>
    Object.entries(latencyMs).map(([call, times], index) => ({
      label: index === 0 ? name : "",
      perSecond: index === 0 ? perSecond : undefined,
      call,
      times,
    })),
  );
  const rates = scale(
    rows.map(({ perSecond = 1 }) => perSecond),
    BARS,
  );
  const times = scale(
    rows.flatMap(({ times }) => Object.values(times)),
    DOTS,
  );
  const height = TOP + rows.length * ROW + 12;
  const width = DOTS.left + DOTS.width + 70;

  const drawn = rows.map(({ label, perSecond, call, times: { p50, p95, p99 } }, index) => {
    const y = TOP + index * ROW + ROW / 2;
    const bar =
      perSecond === undefined
        ? ""
        : `<rect x="${BARS.left}" y="${y - 7}" width="${(rates.at(perSecond) - BARS.left).toFixed(1)}" height="14" fill="${COLOURS.p50}"/>` +
          text(rates.at(perSecond) + 5, y, String(perSecond));
    const dots = Object.entries({ p50, p95, p99 }).map(
      ([name, ms]) =>
        `<circle cx="${times.at(ms).toFixed(1)}" cy="${y}" r="4" fill="${COLOURS[name as keyof typeof COLOURS]}"/>`,
    );
    const line = `<path d="M${times.at(p50).toFixed(1)} ${y}H${times.at(p99).toFixed(1)}" stroke="#bbb" stroke-width="2"/>`;
    return (
      text(NAMES, y, label, "end") + bar + line + dots.join("") + text(times.at(p99) + 8, y, call)
    );
  });
  const legend = Object.entries(COLOURS).map(
    ([name, colour], index) =>
      `<circle cx="${DOTS.left + 200 + index * 60}" cy="16" r="4" fill="${colour}"/>` +
      text(DOTS.left + 208 + index * 60, 16, name),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#222">` +
    `<title>How much a second, and how long the requests take</title><rect width="100%" height="100%" fill="#fff"/>` +
    text(BARS.left, 16, "a second (logarithmic)") +
    text(DOTS.left, 16, "milliseconds (logarithmic)") +
    `${legend.join("")}${axis(rates, height)}${axis(times, height)}${drawn.join("")}</svg>\n`
  );
}

type Scale = ReturnType<typeof scale>;

/** A logarithmic scale over whole powers of ten. */
function scale(values: number[], { left, width }: { left: number; width: number }) {
  const from = Math.floor(Math.log10(Math.max(0.1, Math.min(...values))));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  const at = (value: number) =>
    left + Math.max(0, (Math.log10(Math.max(value, 0.01)) - from) / (to - from)) * width;
  return { at, ticks: Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n)) };
}

function axis({ at, ticks }: Scale, height: number): string {
  return ticks
    .map((tick) => {
      const x = at(tick).toFixed(1);
      return `<path d="M${x} ${TOP - 8}V${height - 8}" stroke="#e3e3e3"/>${text(at(tick), TOP - 18, String(tick), "middle")}`;
    })
    .join("");
}

function text(x: number, y: number, words: string, anchor = "start"): string {
  return `<text x="${x.toFixed(1)}" y="${y + 4}" text-anchor="${anchor}">${words}</text>`;
}
