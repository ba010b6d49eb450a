type Bar = { name: string; perSecond: number };

const ROW = 28;
const LEFT = 250;
const WIDTH = 420;

/** Bars of so much a second, as an SVG picture. */
export function plot(bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ perSecond }) => Math.log10(1 + perSecond)));
  const rows = bars.map(({ name, perSecond }, index) => {
    const y = 10 + index * ROW;
    const width = Math.max(1, (Math.log10(1 + perSecond) / most) * WIDTH);
    return (
      `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${name}</text>` +
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="18" fill="#3b6ea8"/>` +
      `<text x="${LEFT + width + 6}" y="${y + 14}">${perSecond}/s</text>`
    );
  });
  const height = 20 + bars.length * ROW;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 90}" height="${height}" font-family="sans-serif" font-size="13">` +
    `<title>How much a second (logarithmic)</title><rect width="100%" height="100%" fill="#fff"/>${rows.join("")}</svg>\n`
  );
}
