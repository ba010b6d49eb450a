// I have the password, and its owner is setting up a second factor right now. My request passed its
// checks a moment before. When it writes, what it checked is no longer true.
import { beforeAll, describe, expect, test } from "vitest";
import { configuredMethods } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Answer } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { useStack } from "../support/used.ts";
import type { Request } from "./races/request.ts";
import { REQUESTS } from "./races/requests.ts";
import { type SlowGateway, slowGateway } from "./races/slow-gateway.ts";
import { type Needs, newWorld, together } from "./races/worlds.ts";

const stack = useStack({ environment: { TRUSTED_PROXIES: "1" } });
let hold: SlowGateway["hold"];
beforeAll(() => {
  hold = slowGateway(stack).hold;
});

function asked(name: string): Request {
  const request = REQUESTS.find((one) => one.name === name);
  if (!request) throw new Error(`Nobody asks to ${name}`);
  return request;
}

/** Holds the first request before its write until the second has finished. */
async function overtake(names: { waits: string; goesBefore: string }, more: Needs = {}) {
  const [first, second] = [asked(names.waits), asked(names.goesBefore)];
  const needs = together(together(first.needs ?? {}, second.needs ?? {}) ?? {}, more);
  if (!needs) throw new Error("There is no such user");
  const world = await newWorld(stack, needs);
  const slow = hold((api) => first.send(api, world, stack), "writes", 0);
  expect(await slow.reached).toBe(true);
  expect((await second.send(stack.api, world, stack)).status).toBeLessThan(300);
  slow.goOn();
  const overtaken: Answer<unknown> = await slow.answer;
  const profile = await getMfaProfile(stack.deps.db, world.person.id);
  if (!profile) throw new Error("The user is gone");
  return { overtaken, world, profile, methods: configuredMethods(profile.devices) };
}

describe("attack: a removal by the password alone", () => {
  test.each([
    ["remove all devices", "verify the first app"],
    ["remove all devices", "verify the first phone"],
    ["remove the other app", "verify the first app"],
  ])(
    "that was let in before there was a second factor (%s) removes none (%s)",
    async (waits, goesBefore) => {
      const { overtaken, methods } = await overtake({ waits, goesBefore });
      expectProblem(overtaken, "reauthentication_required");
      expect(methods).toHaveLength(1);
    },
  );

  test("that was let in while all devices were inactive removes nothing that was turned on since", async () => {
    const names = { waits: "remove all devices", goesBefore: "turn it on at /v2.0" };
    const { overtaken, methods } = await overtake(names);
    expectProblem(overtaken, "reauthentication_required");
    expect(methods).toEqual(["otp", "sms"]);
  });
});

test("a device that is verified at /v2.0 while all others are inactive turns nothing on by itself", async () => {
  const { overtaken, methods, profile } = await overtake({
    waits: "verify the other app at /v2.0",
    goesBefore: "make the devices inactive at /v2.0",
  });
  expect(overtaken.status).toBe(404);
  expect(methods).toEqual([]);
  expect(profile.devices.map(({ inactiveAt }) => inactiveAt)).not.toContain(null);
});

test.each([
  ["verify the first app", "verify the other app at /v2.0"],
  ["verify the first phone", "verify the first phone at /v2.0"],
])(
  "a device that another request has made inactive gives nobody a second factor (%s, %s)",
  async (waits, goesBefore) => {
    const { overtaken, methods, world } = await overtake({ waits, goesBefore });
    expectProblem(overtaken, "device_verified_already");
    expect(methods).toEqual([]);
    expect((await stack.api.session(world.token)).body.amr).toEqual(["pwd"]);
  },
);

test("the last app cannot be removed at /v2.0 if it became the default at the same time", async () => {
  const { overtaken, methods, profile } = await overtake({
    waits: "remove the app at /v2.0",
    goesBefore: "begin logins with the app",
  });
  expect(overtaken.status).toBe(400);
  expect(overtaken.text).toContain("Change the default first.");
  expect({ methods, begins: profile.user.defaultMethod }).toEqual({
    methods: ["otp", "sms"],
    begins: "otp",
  });
});

test("an app that was removed meanwhile does not become the default", async () => {
  const { overtaken, methods, profile } = await overtake({
    waits: "begin logins with the app",
    goesBefore: "remove the app",
  });
  expect(overtaken.status).toBe(400);
  expect({ methods, begins: profile.user.defaultMethod }).toEqual({
    methods: ["sms"],
    begins: null,
  });
});

test("a device that was removed meanwhile does not spare its user the new requirement", async () => {
  const names = { waits: "require it of the user", goesBefore: "remove all devices" };
  const { overtaken, methods, world } = await overtake(names, { devices: "verified" });
  expect(overtaken.status).toBe(204);
  expect(methods).toEqual([]);
  expectProblem(await stack.api.session(world.token), "session_revoked");
});

test("devices that were removed meanwhile turn nothing on", async () => {
  const { overtaken, methods } = await overtake({
    waits: "turn it on at /v2.0",
    goesBefore: "remove all devices",
  });
  expect(overtaken.status).toBe(400);
  expect(methods).toEqual([]);
});

test("a login that saw a lock does not lock again after Support has unlocked", async () => {
  const { overtaken, profile } = await overtake({
    waits: "log in",
    goesBefore: "an unlock by Support after a crash",
  });
  expect(overtaken.status).toBe(200);
  expect(profile.user.lockedAt).toBeNull();
});
