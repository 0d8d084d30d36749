// What a run leaves in pipeline_info beside Nextflow's own reports.

/** The parameters of the run as JSON, so that -params-file can repeat it. */
def writeParameters(values, folder) {
    folder.mkdirs()
    def kept = values.findAll { name, value -> value != null && name != 'help' }
    folder.resolve('params.json').text = groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(kept)) + '\n'
}

/**
 * The price of each process, from the trace and a table of prices (columns resource, price, currency).
 * A task is charged for what it asked for, from start to end; with GPUs, tasks that have one are known by their image.
 */
def writeCosts(trace, prices, target, tasks, with_gpus) {
    if (!trace.exists()) {
        return
    }
    def price = readTable(prices.text).collectEntries { row -> [row.resource, row.price.toDouble()] }
    def currency = readTable(prices.text).first().currency
    def rows = completeTrace(trace, tasks, 50).groupBy { row -> row.process }.sort()
        .collect { name, group -> costRow(name, group, price, with_gpus) }
    def total = costSum('total', rows)
    def lines = (rows + [total]).collect { row -> (row + [currency]).collect { cell -> cell instanceof Double ? String.format(Locale.ROOT, '%.6f', cell) : cell }.join('\t') }
    target.text = "process\ttasks\tcached\tcpu_hours\tmemory_gb_hours\tgpu_hours\tcost\tcurrency\n" + lines.join('\n') + '\n'
}

/** Rows of the trace; Nextflow writes it in a thread of its own, so wait (at most some seconds) for the last ones. */
def completeTrace(trace, tasks, patience) {
    def rows = readTable(trace.text)
    if (rows.size() >= tasks || patience == 0) {
        return rows
    }
    sleep(100)
    return completeTrace(trace, tasks, patience - 1)
}

def costRow(name, group, price, with_gpus) {
    def run = group.findAll { row -> row.status != 'CACHED' }
    def cpu = run.sum(0.0d) { row -> hours(row) * (number(row.cpus)) }
    def memory = run.sum(0.0d) { row -> hours(row) * number(row.memory) / 1e9 }
    def gpu = run.sum(0.0d) { row -> with_gpus && row.container.endsWith('-torch') ? hours(row) : 0.0d }
    def cost = cpu * price.cpu_hour + memory * price.memory_gb_hour + gpu * price.gpu_hour
    return [name, run.size(), group.size() - run.size(), cpu as Double, memory as Double, gpu as Double, cost as Double]
}

def costSum(name, rows) {
    return [name] + (1..6).collect { column -> rows.sum(0) { row -> row[column] } }
}

/** Hours between start and end of a task; the raw trace counts milliseconds. */
def hours(row) {
    return number(row.realtime) / 3.6e6d
}

def number(cell) {
    return cell.isNumber() ? cell.toDouble() : 0.0d
}

def readTable(text) {
    def lines = text.readLines().findAll { line -> line && !line.startsWith('#') }
    def header = lines.first().tokenize('\t')
    return lines.drop(1).collect { line -> [header, line.split('\t', -1).toList()].transpose().collectEntries() }
}

/** The sentences that our scripts ended with, out of Nextflow's long report of an error. */
def sentencesOf(report) {
    return (report ?: '').readLines().collect { line -> line.trim() }.findAll { line -> line.startsWith('ERROR: ') }.unique()
}
