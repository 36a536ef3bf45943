import Glibc

// The one place that ends the process.
exit(CommandLineInterface.run(Array(CommandLine.arguments.dropFirst()), environment: CommandLineInterface.environment()).rawValue)
