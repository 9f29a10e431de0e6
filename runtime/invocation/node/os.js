// `os` for bundled apps: a machine without properties.
module.exports = {
  EOL: "\n",
  arch: () => process.arch,
  availableParallelism: () => 1,
  cpus: () => [],
  endianness: () => "LE",
  freemem: () => 0,
  homedir: () => "/",
  hostname: () => "sandbox",
  networkInterfaces: () => ({}),
  platform: () => process.platform,
  release: () => "",
  tmpdir: () => "/tmp",
  totalmem: () => 0,
  type: () => "Linux",
  uptime: () => process.uptime(),
};
