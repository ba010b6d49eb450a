import { expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import {
  checkPin,
  dropPin,
  refundPinTry,
  storePin,
} from "../../../../store/redis/second-step/pins.ts";
import { MINUTE_MS } from "../../../../units.ts";
import { burst, NOW, tally, twoClients } from "../clients.ts";

const clients = await twoClients();
const [redis] = clients;
const TRIES = 5;
const REFUNDS = { now: NOW, refundsPerDay: 10 };

async function pinned() {
  const device = { userId: newId(), deviceId: newId() };
  await storePin(redis, { ...device, hash: "right", expiresAt: NOW + 10 * MINUTE_MS });
  const check = (hash: string, { client = redis, now = NOW } = {}) =>
    checkPin(client, { ...device, hashes: [hash], now, tries: TRIES });
  return { device, check };
}

test("a burst of guesses gets five tries; then the right PIN is void as well", async () => {
  const { check } = await pinned();
  const checks = await burst(clients, 100, (client, index) => check(`wrong ${index}`, { client }));
  expect(tally(checks.map(({ outcome }) => outcome))).toEqual({ rejected: 4, voided: 1, none: 95 });
  expect(await check("right")).toEqual({ outcome: "none" });
});

test("counts down the tries that are left", async () => {
  const { check } = await pinned();
  for (const triesRemaining of [4, 3, 2, 1]) {
    expect(await check("wrong")).toMatchObject({ outcome: "rejected", triesRemaining });
  }
  expect(await check("wrong")).toMatchObject({ outcome: "voided" });
});

test("the right PIN is accepted until it is dropped, wrong tries in between or not", async () => {
  const { device, check } = await pinned();
  expect(await check("right")).toMatchObject({ outcome: "accepted" });
  await check("wrong");
  expect(await check("right")).toMatchObject({ outcome: "accepted" });
  await dropPin(redis, device);
  expect(await check("right")).toEqual({ outcome: "none" });
});

test("a PIN works until its last moment; an expired one costs no try", async () => {
  const { check } = await pinned();
  expect(await check("right", { now: NOW + 10 * MINUTE_MS - 1 })).toMatchObject({
    outcome: "accepted",
  });
  for (let guess = 0; guess < 7; guess++) {
    expect(await check("wrong", { now: NOW + 10 * MINUTE_MS })).toEqual({ outcome: "expired" });
  }
  expect(await check("right")).toMatchObject({ outcome: "accepted" });
});

test("only the newest PIN works, and its tries start again", async () => {
  const { device, check } = await pinned();
  for (let guess = 0; guess < 5; guess++) await check("wrong");
  await storePin(redis, { ...device, hash: "newer", expiresAt: NOW + 20 * MINUTE_MS });
  for (let again = 0; again < 6; again++)
    expect(await check("right")).toEqual({ outcome: "replaced" });
  expect(await check("wrong")).toMatchObject({ outcome: "rejected", triesRemaining: 4 });
  expect(await check("newer", { now: NOW + 15 * MINUTE_MS })).toMatchObject({
    outcome: "accepted",
  });
});

test("a PIN does not work for another device or user", async () => {
  const { device } = await pinned();
  for (const other of [
    { ...device, deviceId: newId() },
    { ...device, userId: newId() },
  ]) {
    const check = await checkPin(redis, { ...other, hashes: ["right"], now: NOW, tries: TRIES });
    expect(check).toEqual({ outcome: "none" });
  }
});

test("a refunded try can be used again, even the one that voided the PIN", async () => {
  const { device, check } = await pinned();
  const checks = await burst(clients, 5, (client) => check("wrong", { client }));
  const spent = checks.find(({ outcome }) => outcome === "voided");
  if (spent?.outcome !== "voided") throw new Error("the PIN was not voided");
  await refundPinTry(redis, { ...device, check: spent, ...REFUNDS });
  expect(await check("right")).toMatchObject({ outcome: "accepted" });
  expect(await check("wrong")).toMatchObject({ outcome: "voided" });
});

test("a late refund gives the next PIN no extra try", async () => {
  const { device, check } = await pinned();
  const spent = await check("wrong");
  if (spent.outcome !== "rejected") throw new Error("the try was not counted");
  await storePin(redis, { ...device, hash: "newer", expiresAt: NOW + 10 * MINUTE_MS });
  await check("wrong");
  await refundPinTry(redis, { ...device, check: spent, ...REFUNDS });
  expect(await check("wrong")).toMatchObject({ triesRemaining: 3 });
});

test("refunds never give more than five tries", async () => {
  const { device, check } = await pinned();
  const spent = await check("wrong");
  if (spent.outcome !== "rejected") throw new Error("the try was not counted");
  await burst(clients, 20, (client) =>
    refundPinTry(client, { ...device, check: spent, ...REFUNDS }),
  );
  expect(await check("wrong")).toMatchObject({ triesRemaining: 4 });
});

test("ten tries a day are given back; the eleventh is spent, right or wrong", async () => {
  for (const typed of ["wrong", "right"]) {
    const { device, check } = await pinned();
    const give = async () =>
      refundPinTry(redis, { ...device, check: await check(typed), ...REFUNDS });
    for (let n = 0; n < 10; n++) expect(await give()).toBe("given_back");
    expect(await give()).toBe("spent");
    expect(await check("wrong")).toMatchObject({ triesRemaining: 3 });
  }
});
