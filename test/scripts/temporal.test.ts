import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, type Connection } from "@temporalio/client";
import { expect, test, vi } from "vitest";
import { freePort } from "../../scripts/ports.ts";
import { launch, stopAll } from "../../scripts/processes.ts";
import { startTemporal } from "../../scripts/temporal.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import {
  connectTemporal,
  ensureNamespace,
  registerSearchAttributes,
} from "../../scripts/temporal-namespace.ts";
import { limit } from "../support/limits.ts";
import { until } from "../support/until.ts";
import { used } from "../support/used.ts";

vi.setConfig({ testTimeout: limit(60_000), hookTimeout: limit(120_000) });

const OWN = "own";

const temporal = used(async () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-temporal-"));
  const address = await startTemporal(launch, {
    program: await ensureTemporalCli(() => {}),
    namespace: OWN,
    port: await freePort(),
    logFile: join(folder, "temporal.log"),
  });
  const connection = await connectTemporal({ address });
  return {
    connection,
    async stop() {
      await connection.close();
      await stopAll();
      rmSync(folder, { recursive: true });
    },
  };
});

/** Starts a flow as the gateway does. No worker runs it. */
const startFlow = (connection: Connection, namespace: string) =>
  new Client({ connection, namespace }).workflow.start("loginChallenge", {
    ...{ taskQueue: "nobody", workflowId: "one", args: [] },
    searchAttributes: { MfaUserId: ["u"], MfaAccountId: ["a"], MfaState: ["s"], MfaMethod: ["m"] },
  });

test("accepts flows as soon as it has started", async () => {
  const { connection } = temporal;
  await expect(startFlow(connection, OWN)).resolves.toMatchObject({ workflowId: "one" });
});

test("the retention of a namespace that exists is only changed if it is named", async () => {
  const { connection } = temporal;
  const { workflowService } = connection;
  const namespace = "kept";
  const retention = async () => {
    const { config } = await workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400;
  };
  await ensureNamespace(connection, namespace, 90);
  await ensureNamespace(connection, namespace);
  expect(await retention()).toBe(90);
  // The server takes no change of a namespace that it has known for a moment only.
  const change = () => ensureNamespace(connection, namespace, 45).then(retention, () => undefined);
  expect(await until(change, (days) => days !== undefined)).toBe(45);
});

test("accepts flows in another namespace as soon as that is prepared", async () => {
  const { connection } = temporal;
  await ensureNamespace(connection, "another");
  // Once a namespace is used, the server caches its settings for some seconds.
  const { workflowService } = connection;
  const asked = () =>
    workflowService.countWorkflowExecutions({ namespace: "another" }).catch(() => undefined);
  await until(asked, (answer) => answer !== undefined);
  await registerSearchAttributes(connection, "another");
  await expect(startFlow(connection, "another")).resolves.toMatchObject({ workflowId: "one" });
});
