/** A file of sections with keys, such as a systemd unit or a simple TOML file. Keys before the first section are in the section "". */
type Sections = Record<string, Record<string, unknown>>;

/**
 * Parses a systemd unit, or TOML whose values are strings, numbers and booleans on one line. A key that occurs twice in a unit gets a list.
 * Throws for every other line.
 */
export function parseSections(text: string): Sections {
  const sections: Sections = {};
  let current: Record<string, unknown> = {};
  sections[""] = current;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [, section] = /^\[{1,2}([^[\]]+)\]{1,2}$/.exec(line) ?? [];
    const [, key, value = ""] = /^([\w.-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (section !== undefined) {
      current = sections[section] ?? {};
      sections[section] = current;
    } else if (key !== undefined) current[key] = key in current ? [current[key], toValue(value)].flat() : toValue(value);
    else throw new Error(`This line is neither a section nor a key: ${line}`);
  }
  return sections;
}

function toValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // systemd writes text without quotes
  }
}
