import ArgumentParser

/// The command line of kheapd.
@main
struct Kheapd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kheapd",
        abstract: "A simulated Linux kernel heap per client, over HTTP.",
        version: "kheapd 0.1.0",
        subcommands: [ServeCommand.self, RunCommand.self],
        defaultSubcommand: ServeCommand.self
    )
}
