import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { temporal } from "@temporalio/proto";
import type { Chance } from "./chance.ts";
import type { Installation } from "./installation.ts";
import type { Part } from "./part.ts";

const { EventType } = temporal.api.enums.v1;
const LOOK_MS = 60;
const LATE_MS = 2_000;
const VICTIMS = ["worker", "gateway", "temporal", "redis"] as const;

export type Executions = {
  /** The number of kills for each kind of part. */
  kills: Record<string, number>;
  /** `<workflow type> <event> <victim>` for each kill at the moment an event appeared. */
  atEvents: Set<string>;
  /** `<workflow type> <event>` for every event that appeared. */
  seen: Set<string>;
};

/**
 * Kills `enough` parts with SIGKILL and starts each again soon. It kills a part when an event
 * appears in a history at which this kind of part was not killed yet. If none appears for a while,
 * it kills a random part.
 */
export async function killParts(
  { parts, temporal: client }: Installation,
  chance: Chance,
  { enough, paceMs, done }: { enough: number; paceMs: number; done: () => boolean },
): Promise<Executions> {
  const executions: Executions = { kills: {}, atEvents: new Set(), seen: new Set() };
  const starting = new Set<Promise<void>>();
  let quietSince = performance.now();
  let count = 0;

  const living = (victim: string): Part | undefined =>
    chance.pick(parts.filter((part) => part.name.startsWith(victim) && part.up()));

  const kill = (victim: string): boolean => {
    const part = living(victim);
    if (!part || count >= enough) return false;
    count += 1;
    executions.kills[victim] = (executions.kills[victim] ?? 0) + 1;
    quietSince = performance.now();
    const again = async () => {
      await part.kill();
      await sleep(chance.upTo(500));
      await part.start();
    };
    const started = again().finally(() => starting.delete(started));
    starting.add(started);
    return true;
  };

  const atEvent = (kind: string) => {
    executions.seen.add(kind);
    if (performance.now() - quietSince < paceMs) return;
    const left = VICTIMS.filter((victim) => !executions.atEvents.has(`${kind} ${victim}`));
    const victim = left.length > 0 ? chance.pick(left) : undefined;
    if (victim && kill(victim)) executions.atEvents.add(`${kind} ${victim}`);
  };

  const watch = historyWatch(client, atEvent);
  while (count < enough && !done()) {
    // Temporal itself may be down.
    await client.withDeadline(Date.now() + LATE_MS, watch).catch(() => {});
    if (performance.now() - quietSince > 2 * paceMs) kill(chance.pick(VICTIMS));
    await sleep(LOOK_MS);
  }
  await Promise.all(starting);
  return executions;
}

/** Reports each new event in the histories of open flows and of flows that have just ended. */
function historyWatch(client: Client, tell: (kind: string) => void) {
  const lengths = new Map<string, number>();
  const since = new Date().toISOString();
  return async () => {
    const open = new Set<string>();
    for await (const flow of client.workflow.list({
      query: `StartTime > "${new Date(Date.now() - 90_000).toISOString()}"`,
    })) {
      if (flow.startTime.toISOString() < since) continue;
      const { workflowId, runId, type } = flow;
      const known = lengths.get(runId) ?? 0;
      if (known === -1) continue;
      open.add(runId);
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      for (const event of events?.slice(known) ?? [])
        tell(
          `${type} ${EventType[event.eventType ?? 0]?.replace("EVENT_TYPE_", "").toLowerCase()}`,
        );
      lengths.set(runId, flow.status.name === "RUNNING" ? (events?.length ?? 0) : -1);
    }
  };
}
