import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProgram } from "../../../scripts/cli/program.ts";

const text = readFileSync(new URL("../../../docs/identity-v2.md", import.meta.url), "utf8");

test("each setting that weakens security has its row: what it weakens, and what happens while it is off", () => {
  const account = cliProgram().commands.find((command) => command.name() === "account");
  const set = account?.commands.find((command) => command.name() === "set");
  const settings = set?.registeredArguments[1]?.argChoices ?? [];
  expect(settings.length).toBeGreaterThan(0);
  for (const setting of settings)
    expect(text).toMatch(
      new RegExp(`^\\| \`${setting}\` +\\| [^|]+\\S[^|]* \\| [^|]+\\S[^|]* \\|$`, "m"),
    );
});
