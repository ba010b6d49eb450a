/** A Markdown table whose columns are aligned, so that it can be read on a terminal as well. */
export function table(headings: string[], rows: (string | number)[][]): string {
  const lines = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) =>
    Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  // Columns of numbers are aligned to the right.
  const toRight = headings.map((_, column) => rows.every((row) => /^[-\d]/.test(`${row[column]}`)));
  const draw = (line: string[]) => {
    const cells = widths.map((width, column) => {
      const cell = line[column] ?? "";
      return toRight[column] ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => "-".repeat(width - 1) + (toRight[column] ? ":" : "-"));
  const [head = [], ...body] = lines;
  return [draw(head), `| ${rule.join(" | ")} |`, ...body.map(draw)].join("\n");
}
