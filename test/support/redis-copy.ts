import { createClient, RESP_TYPES } from "redis";

type Copy = { key: string; value: Buffer; ttl: number }[];

/** Works on the whole database, with values as bytes. */
async function on<T>(url: string, work: (redis: ReturnType<typeof bytes>) => Promise<T>) {
  const redis = bytes(url);
  redis.on("error", () => {});
  await redis.connect();
  try {
    return await work(redis);
  } finally {
    await redis.close();
  }
}

const bytes = (url: string) =>
  createClient({ url, commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } });

/** A copy of everything in a Redis database, as a backup would have it. */
export const copyRedis = (url: string): Promise<Copy> =>
  on(url, async (redis) => {
    const keys = (await redis.keys("*")).map(String);
    const copied = keys.map(async (key) => {
      const [value, ttl] = await Promise.all([redis.dump(key), redis.pTTL(key)]);
      return { key, value: value as unknown as Buffer, ttl: Math.max(0, Number(ttl)) };
    });
    return Promise.all(copied);
  });

/** Puts a copy in the place of what the database has now; without a copy, it is empty. */
export const replaceRedis = (url: string, copy: Copy = []): Promise<unknown> =>
  on(url, async (redis) => {
    await redis.flushDb();
    await Promise.all(copy.map(({ key, value, ttl }) => redis.restore(key, ttl, value)));
  });
