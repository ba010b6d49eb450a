import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../support/client.ts";
import { limit } from "../support/limits.ts";
import {
  expectToFinish,
  healthOfAll,
  type LoggedIn,
  loggedInPeople,
  type Open,
  openLogins,
} from "../support/many-people.ts";
import { expectProblem } from "../support/problems.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { startRedisSentinels } from "../support/redis-sentinels.ts";
import { logInBySms } from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

type Servers = {
  url: string;
  master: { kill(): Promise<void>; start(): Promise<unknown> };
  replicated(): Promise<void>;
  /** Those users whose keys the master has. */
  onMaster(userIds: string[]): Promise<string[]>;
  isDemoted(): Promise<boolean>;
  /** From here on no replica takes over, until `release`. */
  hold(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
};

const KINDS: { kind: string; start(): Promise<Servers> }[] = [
  {
    kind: "a Redis with a replica and Sentinels",
    async start() {
      const servers = await startRedisSentinels();
      return {
        ...servers,
        onMaster: async (ids) => ids,
        async hold() {
          for (const { kill } of servers.sentinels) await kill();
        },
        release() {
          for (const { start } of servers.sentinels) start();
        },
      };
    },
  },
  {
    kind: "a Redis Cluster with replicas",
    async start() {
      const cluster = await startRedisCluster({ replicas: true });
      const [first, , , replicaOfFirst] = cluster.nodes;
      return {
        ...cluster,
        master: first as Servers["master"],
        hold: async () => void replicaOfFirst?.signal("SIGSTOP"),
        release: () => void replicaOfFirst?.signal("SIGCONT"),
      };
    },
  },
];

/** So many that some of them are on the killed one of a cluster's three masters, all but surely. */
const PEOPLE = 20;

describe.each(KINDS)("on $kind, when a master is killed", ({ start }) => {
  let servers: Servers;
  let service: Service;
  let people: LoggedIn[];
  let open: Open[];

  beforeAll(async () => {
    servers = await start();
    service = await startService("postgres", { REDIS_URL: servers.url }, 1);
    people = await loggedInPeople(service, PEOPLE);
    open = await openLogins(service, people);
  }, limit(150_000));
  afterAll(async () => {
    expect(new Set(await service.stop())).toEqual(new Set(["exit code 0"]));
    await servers.stop();
  });

  test(
    "its users get 503 and lose no attempt, and after the fail-over sessions and open logins continue",
    async () => {
      const impatient = createClient(service.send);
      const sessions = () => Promise.all(people.map(({ token }) => impatient.session(token)));
      const ids = people.map(({ user }) => user.id);
      const onMaster = new Set(await servers.onMaster(ids));
      await servers.replicated();
      await servers.hold();
      await servers.master.kill();
      const seen = await sessions();
      // While a client of a cluster looks for its masters, it may refuse others for a moment, too.
      const away = people.map(({ user }, n) => seen[n]?.status === 503 && onMaster.has(user.id));
      expect(away).toContain(true);
      // More guesses than the lock allows, all before a replica takes over.
      const guesses = open
        .filter((_, index) => away[index])
        .flatMap(({ id }) => Array.from({ length: 8 }, () => id));
      for (const answer of await Promise.all(
        guesses.map((id) => impatient.verifyPasscode(id, "0000000")),
      ))
        expectProblem(answer, "service_unavailable");
      servers.release();

      await until(sessions, (answers) => answers.every(({ status }) => status === 200));
      await expectToFinish(service, open);
      // Each gateway notices the new master by itself.
      await healthOfAll(service, 200);
    },
    limit(60_000),
  );

  test(
    "it comes back as a replica, and changes nothing",
    async () => {
      await servers.master.start();
      await until(servers.isDemoted, Boolean);
      for (const { token, user } of people)
        expect((await service.api.session(token)).body.user.id).toBe(user.id);
      await service.forgetSends();
      for (const { user, e164 } of people.slice(0, 2))
        expect(await logInBySms(service, user, e164)).toMatchObject({ scope: "full" });
    },
    limit(60_000),
  );
});
