import { type CommandParser, defineScript } from "redis";

/**
 * A Lua script, called as `redis.<name>(keys, arguments)`: one atomic step. All its keys have the
 * same hash tag, so it runs on a Redis Cluster too.
 */
export function script<Reply>(lua: string) {
  return defineScript({
    SCRIPT: lua,
    parseCommand(
      parser: CommandParser,
      keys: readonly string[],
      args: readonly (string | number)[],
    ) {
      parser.push(String(keys.length));
      parser.pushKeys([...keys]);
      parser.push(...args.map(String));
    },
    transformReply: (reply: unknown) => reply as Reply,
  });
}

/**
 * A part of a script: whether a stored hash is one of the given ones, which have spaces between them.
 * While CODE_KEY is replaced, a code has one hash for each key.
 */
export const IS_AMONG = `
    local function isAmong(hash, hashes)
      return hash and string.find(' ' .. hashes .. ' ', ' ' .. hash .. ' ', 1, true) ~= nil
    end`;

/**
 * A part of a script that has just added a record to the sorted set `index`. If the set has more
 * than `most` records, it drops those with the lowest score, but never the new one. `key` and `id`
 * name the script's variables for the new record. The other records' keys differ only in the ID, so
 * they are in the same slot.
 */
export const dropExcess = (key: string, id: string, most: string) => `
    for _, old in ipairs(redis.call('ZRANGE', index, 0, -1 - tonumber(${most}))) do
      if old ~= ${id} then
        redis.call('ZREM', index, old)
        redis.call('DEL', string.sub(${key}, 1, -1 - #${id}) .. old)
      end
    end`;
