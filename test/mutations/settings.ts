import type { Mutation } from "./mutation.ts";

/** Rules of the settings. */
export const settingsMutations: Mutation[] = [
  {
    mistake: "without NODE_ENV the service is not in production",
    file: "settings/groups.ts",
    find: '.default("production")',
    replace: '.default("development")',
    noticedBy: ["test/config.test.ts"],
  },
  {
    mistake: "the outbox is taken in production",
    file: "settings/together.ts",
    find: 'env.NODE_ENV === "production" && env.SMS_GATEWAY?.includes("outbox")',
    replace: 'env.NODE_ENV === "production" && !env.SMS_GATEWAY',
    noticedBy: ["test/config.test.ts", "test/scripts/config-check.test.ts"],
  },
  {
    mistake: "the budgets of messages have a default in production",
    file: "settings/check.ts",
    find: "text ?? (developing ? development : undefined)",
    replace: "text ?? development",
    noticedBy: ["test/config.test.ts"],
  },
  {
    mistake: "a secret's variable wins over its file without a word",
    file: "settings/secret-files.ts",
    find: "if (env[name] !== undefined) faults[name] =",
    replace: "if (env[name] !== undefined) files[name] =",
    noticedBy: ["test/config.test.ts"],
  },
  {
    mistake: "a Sentinel URL with a database's number is taken, and then not understood",
    file: "settings/redis-urls.ts",
    find: 'without("/?")',
    replace: 'without("?")',
    noticedBy: ["test/scripts/config-check.test.ts"],
  },
  {
    mistake: "an empty file of a secret counts as not set",
    file: "settings/secret-files.ts",
    find: 'secret === "" ? { fault: "is empty" } : { secret }',
    replace: "{ secret }",
    noticedBy: ["test/config.test.ts"],
  },
  {
    mistake: "config check shows secrets",
    file: "scripts/cli/config.ts",
    find: 'value: secret && set !== undefined ? "(set)" : shown(set),',
    replace: "value: secret ? shown(set) : shown(set),",
    noticedBy: ["test/scripts/config-check.test.ts"],
  },
  {
    mistake: "the retention of a namespace is reset at each deploy",
    file: "scripts/temporal-namespace.ts",
    find: "} else if (retentionDays !== undefined && kept !== retentionDays) {\n    await orCommands(setRetention(connection, namespace, retentionDays), [",
    replace: "} else {\n    await orCommands(setRetention(connection, namespace, retentionDays), [",
    noticedBy: ["test/scripts/temporal.test.ts"],
  },
  {
    mistake: "a namespace that is as it should be is changed all the same",
    file: "scripts/temporal-namespace.ts",
    find: "retentionDays !== undefined && kept !== retentionDays",
    replace: "retentionDays !== undefined",
    noticedBy: ["test/scripts/prepare-temporal.test.ts"],
  },
  {
    mistake: "the use of a country's messages is measured by the service's budget",
    file: "core/limits/send-budgets.ts",
    find: "ratio: sent / config.SMS_PER_COUNTRY_AND_HOUR,",
    replace: "ratio: sent / config.SMS_PER_HOUR,",
    noticedBy: ["test/core/limits/send-limits.test.ts"],
  },
];
