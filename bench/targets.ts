import type { Blocked } from "./blocked.ts";
import { type Result, round } from "./measure.ts";
import { costOf, type RunReport } from "./report.ts";
import { table } from "./table.ts";

type Target = { what: string; measured: number; limit: number; least?: boolean; unit: string };

/** The targets of this project on two cores, and what a run measured. */
export function judge(report: RunReport): string {
  const rows = targets(report).map(({ what, measured, limit, least, unit }) => {
    const met = least ? measured >= limit : measured <= limit;
    return [what, `${least ? "≥" : "≤"} ${limit} ${unit}`, measured, met ? "met" : "not met"];
  });
  return table(["target", "limit", "measured", ""], rows);
}

function targets({ results, idleMb, workerReadyS }: RunReport): Target[] {
  const of = <T>(name: string, make: (result: Result) => T[]): T[] => {
    const result = results.find((one) => one.name === name);
    return result ? make(result) : [];
  };
  const idle = Object.entries(idleMb).filter(([part]) => !part.startsWith("Temporal"));
  const unhashed = results.filter(({ name }) => name.startsWith("OTP without the hash"));
  const blocked = (what: string, of: keyof Blocked) => {
    const measured = Math.max(...results.map(({ blocked }) => blocked[of]));
    return { what, measured, limit: 20, unit: "ms" };
  };
  return [
    ...of("password + OTP, 32 clients", ({ perSecond }) => [
      {
        what: "password + OTP, 32 clients",
        measured: perSecond,
        limit: 55,
        least: true,
        unit: "/s",
      },
    ]),
    ...of("password + OTP, 1 client", ({ latencyMs: { login, verify } }) => [
      { what: "login p50, 1 client", measured: login?.p50 ?? 0, limit: 40, unit: "ms" },
      ...verifying("at once after the password", verify),
    ]),
    ...of("verify alone, 1 client", ({ latencyMs: { verify } }) => verifying("alone", verify)),
    ...of("session check, 32 clients", ({ perSecond }) => [
      {
        what: "session checks, one gateway",
        measured: perSecond,
        limit: 8000,
        least: true,
        unit: "/s",
      },
    ]),
    ...(unhashed.length === 0
      ? []
      : [
          {
            what: "CPU of a login without the hash, at best",
            measured: Math.min(...unhashed.map(costOf)),
            limit: 25,
            unit: "ms",
          },
        ]),
    blocked("gateway blocked by its own work, any load", "byWorkMs"),
    blocked("the same, its waits for a processor too", "ms"),
    {
      what: "idle, besides Temporal",
      measured: idle.reduce((sum, [, mb]) => sum + mb, 0),
      limit: 600,
      unit: "MB",
    },
    { what: "worker ready", measured: round(workerReadyS), limit: 3, unit: "s" },
  ];
}

function verifying(when: string, took: Result["latencyMs"][string] | undefined): Target[] {
  const what = (percentile: string) => `verify ${percentile} ${when}, 1 client`;
  return [
    { what: what("p50"), measured: took?.p50 ?? 0, limit: 15, unit: "ms" },
    { what: what("p99"), measured: took?.p99 ?? 0, limit: 60, unit: "ms" },
  ];
}
