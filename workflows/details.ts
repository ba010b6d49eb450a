/** A view as markdown for operators: one line a fact, in the order the view lists them. */
export function details(view: { state: string }): string {
  return Object.entries(view)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `- **${name}**: ${Array.isArray(value) ? value.join(", ") : value}`)
    .join("\n");
}
