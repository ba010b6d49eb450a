import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../support/client.ts";
import { limit } from "../support/limits.ts";
import {
  expectToFinish,
  healthOfAll,
  type LoggedIn,
  loggedInPeople,
  openLogins,
} from "../support/many-people.ts";
import { expectProblem } from "../support/problems.ts";
import { type RedisCluster, startRedisCluster } from "../support/redis-cluster.ts";
import { type Service, startService } from "../support/service.ts";
import { until } from "../support/until.ts";

// Two gateways, two workers, a cluster of three nodes. `npm run test:cluster` runs all other tests
// so.
let cluster: RedisCluster;
let service: Service;
let people: LoggedIn[];

beforeAll(async () => {
  cluster = await startRedisCluster();
  service = await startService("postgres", { REDIS_URL: cluster.url }, 2);
}, limit(120_000));
afterAll(async () => {
  expect(new Set(await service.stop())).toEqual(new Set(["exit code 0"]));
  await cluster.stop();
});

test(
  "users with keys on different nodes enroll and log in, with each request at another gateway",
  async () => {
    people = await loggedInPeople(service, 8);
    for (const { user, token } of people) {
      for (const _gateway of service.urls)
        expect((await service.api.session(token)).body.user.id).toBe(user.id);
    }
  },
  limit(60_000),
);

test(
  "a killed node is an outage that costs no attempt, and ends once the node is back",
  async () => {
    const open = await openLogins(service, people);
    const [node] = cluster.nodes as [RedisCluster["nodes"][number]];
    await node.kill();
    const impatient = createClient(service.send);
    const away = await healthOfAll(service, 503);
    for (const answer of away) {
      expect(answer.headers.get("retry-after")).toBe("2");
      expect(await answer.json()).toMatchObject({ away: ["redis"] });
    }
    // Once the nodes notice that slots are missing, the cluster serves no slot.
    await until(
      () => Promise.all(people.map(({ token }) => impatient.session(token))),
      (answers) => answers.every(({ status }) => status === 503),
    );
    // More guesses than the lock allows.
    for (let count = 0; count < 8; count++)
      for (const { id } of open)
        expectProblem(await impatient.verifyPasscode(id, "0000000"), "service_unavailable");

    await node.start();
    await healthOfAll(service, 200);
    await expectToFinish(service, open);
  },
  limit(90_000),
);
