/** How an operator may write a real server or a service that the log calls `[192.0.2.10]:tcp:80`. Decides nothing. */

/**
 * Whether `typed` means what is called `name`: the name itself, "192.0.2.10:80" or "[2001:db8::1]:80", the address alone, and with the
 * protocol before it ("TCP 192.0.2.1:80") as ipvsadm prints services.
 */
export function isCalled(name: string, typed: string): boolean {
  if (name === typed) return true;
  const [, address, protocol, port] = /^\[([^\]]+)\]:(\w+):(\d+)$/.exec(name) ?? [];
  if (address === undefined || protocol === undefined) return false;
  const place = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  return [address, `[${address}]`, place, `${protocol.toUpperCase()} ${place}`].includes(typed);
}
