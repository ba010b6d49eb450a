import { describeSettings, type SettingDescription } from "../../settings/describe.ts";
import { SETTING_GROUPS } from "../../settings/groups.ts";

const INTRODUCTION = `# Settings

Made from \`settings/groups.ts\` by \`npm run --silent cli -- config docs\`; a test holds it equal. Settings are environment
variables of the gateway, the worker and the command line. Give all of them the same ones. The service refuses to
start with a setting that is missing or not valid, and names each. To see what a service uses, where that comes
from, and what is wrong or doubtful:

\`\`\`sh
cli config check
\`\`\`

\`cli\` is a function for your installation: [operations.md](operations.md), "How to run the commands".

A secret can come from a file: name the file in the variable with \`_FILE\` at its end, such as
\`DATABASE_URL_FILE=/run/secrets/database-url\`. A newline at the end of the file is dropped. Setting both is refused.
An empty variable counts as not set.
`;

const HEADER = ["setting", "default", "unit and range", "what it is"];

/** The text of docs/configuration.md. */
export function configurationDocs(): string {
  const sections = Object.entries(SETTING_GROUPS).map(([title, shape]) => {
    const rows = [...describeSettings(shape)].map(([name, about]) => rowOf(name, about));
    return `## ${title}\n\n${table([HEADER, ...rows])}\n`;
  });
  return [INTRODUCTION, ...sections].join("\n");
}

function rowOf(name: string, { description, secret, ...about }: SettingDescription): string[] {
  const { values, unit } = about;
  const standard = about.required
    ? ["required", about.default].filter(Boolean).join("; ")
    : about.default && `\`${about.default}\``;
  return [
    secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``,
    standard,
    values && unit ? `${unit}, ${values}` : (values ?? unit ?? ""),
    description,
  ];
}

/** A table in Markdown with aligned columns. */
function table(rows: string[][]): string {
  const widths = HEADER.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [header = [], ...body] = rows;
  const rule = widths.map((width) => "-".repeat(width));
  return [header, rule, ...body].map(line).join("\n");
}
