/**
 * A view as markdown for operators: one line per field, in the view's order, then the deadlines.
 */
export function details(
  view: { state: string },
  deadlines: readonly (readonly [name: string, at: Date])[] = [],
): string {
  const facts = Object.entries(view)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `- **${name}**: ${Array.isArray(value) ? value.join(", ") : value}`);
  const due = deadlines.map(([name, at]) => `- **${name}** until ${at.toISOString()}`);
  return [...facts, ...due].join("\n");
}
