import type { Result } from "./measure.ts";
import { costOf, type RunReport } from "./report.ts";
import { table } from "./table.ts";

const LOGINS = 10_000;
const MEASURED = "password + OTP, 8 clients";
/** On full processors requests wait, so plan with this share of them. */
const BUSY = 0.6;
const MB = 2 ** 20;
/**
 * A shard of Temporal's history makes one write at a time (Temporal's documentation, "What is a
 * History Shard"). Assumed, not measured here: a write is durable in 5 ms, and a shard that writes
 * a tenth of the time makes nobody wait.
 */
const SHARD = { writeMs: 5, busy: 0.1 };
const SECONDS_A_DAY = 86_400;

/** What 10,000 logins a second need, by multiplication from what one costs here. */
export function describeScale(report: RunReport): string {
  const result = report.results.find(({ name }) => name === MEASURED);
  if (!result) return `Nothing to multiply: ${MEASURED} was not measured.`;
  const { cpuMs, each, events } = result;
  const cores = (part: string) => ((cpuMs[part] ?? 0) * LOGINS) / 1000;
  const planned = (part: string) => Math.ceil(cores(part) / BUSY);
  const line = (part: string, processes: string) => [
    part,
    (cpuMs[part] ?? 0).toFixed(2),
    `${(cpuMs[part] ?? 0).toFixed(2)} × ${LOGINS} / 1000 = ${Math.ceil(cores(part))}`,
    `${Math.ceil(cores(part))} / ${BUSY} = ${planned(part)}`,
    processes,
  ];
  const gatewayThread = Math.max(0, (cpuMs.gateway ?? 0) - report.hashMs);
  const gateways = Math.ceil((gatewayThread * LOGINS) / 1000 / BUSY);
  return [
    `From ${MEASURED} of ${report.at.slice(0, 10)}: ${costOf(result)} CPU ms a login, of which the hash ${report.hashMs.toFixed(1)}.`,
    table(
      ["part", "CPU ms", "cores, all busy", `cores at ${BUSY * 100} %`, "processes"],
      [
        line(
          "gateway",
          `(${(cpuMs.gateway ?? 0).toFixed(2)} - ${report.hashMs.toFixed(1)}) × 10 / ${BUSY} = ${gateways}: one thread of JavaScript each`,
        ),
        line("worker", `${planned("worker")} of a core each, or half as many of two`),
        line("Temporal", "its four services, spread over hosts by shards"),
        line("PostgreSQL", "one primary, and a standby"),
        line("Redis", `${planned("Redis")} masters: one thread each, and a replica for each`),
      ],
    ),
    flows(each, events),
  ].join("\n\n");
}

function flows(each: Result["each"], events: string[]): string {
  const aSecond = (number: number) => Math.round(number * LOGINS).toLocaleString("en");
  const tasks = events.filter((type) => type === "workflowTaskCompleted").length;
  // A start, a task's begin and end for each workflow task, and each Update's acceptance.
  const transitions = 1 + 2 * tasks + 1;
  const inFlight = (transitions * LOGINS * SHARD.writeMs) / 1000;
  const shards = Math.ceil(inFlight / SHARD.busy);
  const power = 2 ** Math.ceil(Math.log2(shards));
  const wal = (each.walBytes * LOGINS) / MB;
  return table(
    ["what", "a login", `at ${LOGINS.toLocaleString("en")} a second`],
    [
      ["Temporal events", events.length, `${aSecond(events.length)} a second`],
      [
        "Temporal state transitions",
        `1 + 2 × ${tasks} + 1 = ${transitions}`,
        `${aSecond(transitions)} a second × ${SHARD.writeMs} ms = ${inFlight} writes at once; / ${SHARD.busy} = ${shards.toLocaleString("en")}, so ${power.toLocaleString("en")} shards`,
      ],
      [
        "PostgreSQL transactions",
        each.pgTransactions.toFixed(1),
        `${aSecond(each.pgTransactions)} a second`,
      ],
      ["PostgreSQL rows written", each.pgRows.toFixed(1), `${aSecond(each.pgRows)} a second`],
      [
        "PostgreSQL log (WAL)",
        `${(each.walBytes / 1024).toFixed(1)} kB`,
        `${wal.toFixed(0)} MB a second, ${((wal * SECONDS_A_DAY) / MB).toFixed(1)} TB a day`,
      ],
      [
        "Redis commands, those of scripts counted",
        each.redisCommands.toFixed(1),
        `${aSecond(each.redisCommands)} a second`,
      ],
    ],
  );
}
